import assert from "node:assert/strict";
import { test } from "node:test";
import type { TraceOutcome } from "../../../../src/nft/tracer.ts";
import { FakeNode, node, port, service, slice, vip, vip6 } from "./fake-node.ts";
import {
  type Ending,
  endpointsOf,
  expectedEndings,
  type PacketKind,
  packetKinds,
  type Row,
  rowsOf,
  sourceRangesOf,
} from "./packet-table.ts";

/** Where kube-proxy sends what it takes. */
const proxied = { IPv4: "10.9.9.9", IPv6: "fd09::9" } as const;
/** ICMP and ICMPv6 echo requests. */
const echoRequests = { IPv4: 8, IPv6: 128 } as const;

function endingOf({ family }: Row, outcome: TraceOutcome): Ending {
  const { end, chain, packet, masqueraded } = outcome;
  const self = node.addresses[family];
  if (end === "dropped") return "dropped";
  if (end === "refused") return chain === "reject_no_endpoints" ? "refused" : "reset";
  if (end === "local" && packet.daddr === self) return packet.dport === 30080 ? "node port" : "answered by the node";
  if (end === "forwarded" && packet.daddr === proxied[family]) return "kube-proxy";
  assert.equal(packet.dport, 8080, JSON.stringify(outcome));
  return `pod ${packet.daddr}${masqueraded ? " behind the node" : ""}`;
}

function send(fakeNode: FakeNode, row: Row, kind: PacketKind, client: number): TraceOutcome {
  const { family } = row;
  const ipv4 = family === "IPv4";
  const address = ipv4 ? vip : vip6;
  const protocol = row.protocol.toLowerCase();
  const source = ipv4 ? `192.0.2.${client}` : `2001:db8::${client}`;
  switch (kind) {
    case "new":
      return fakeNode.send(address, { protocol, source, syn: protocol === "tcp" });
    case "unknown":
      return fakeNode.send(address, { protocol, source, syn: false });
    case "other port":
      return fakeNode.send(address, { protocol, source, port: 81 });
    case "from a pod":
      return fakeNode.send(address, { protocol, from: "cni0", source: ipv4 ? "10.244.1.9" : "fd01::9" });
    case "ping":
      return fakeNode.send(address, { protocol: ipv4 ? "icmp" : "icmpv6", source, icmpType: echoRequests[family] });
  }
}

/** So many clients meet every pod of two. Only new connections have a choice. */
function clientsOf(row: Row, kind: PacketKind): readonly number[] {
  const length = (kind === "new" || kind === "unknown") && endpointsOf(row).length > 1 ? 12 : 1;
  return Array.from({ length }, (_, index) => index + 1);
}

for (const requested of [undefined, "pods", "kube-proxy", "nodeport"] as const)
  for (const nodePort of [0, 30080] as const)
    for (const policy of ["Cluster", "Local"] as const) {
      const words = `${requested ?? "no request"}, ${nodePort === 0 ? "no node port" : "node port"}, ${policy}`;
      test(`${words}: every packet ends where the documents say`, async () => {
        const fakeNode = new FakeNode();
        for (const [family, address] of [
          ["ip", vip],
          ["ip6", vip6],
        ] as const)
          for (const protocol of ["tcp", "udp"] as const)
            await fakeNode.kubeProxy(
              family,
              { address, port: 80, protocol },
              { address: proxied[family === "ip" ? "IPv4" : "IPv6"] },
            );
        for (const row of rowsOf({ requested, nodePort, policy })) {
          const { family, protocol, affinity, late } = row;
          const view = service({
            ipFamilies: [family],
            ports: [port({ protocol, nodePort })],
            annotations: requested === undefined ? {} : { "bellhop.dev/forwarding": requested },
            externalTrafficPolicy: policy,
            affinityTimeoutSeconds: affinity ? 10 : undefined,
            sourceRanges: sourceRangesOf(row),
          });
          const slices = [slice(endpointsOf(row), { family, ports: [{ name: "", protocol, port: 8080 }] })];
          const timing = { before: undefined, nowMs: 0, delayMs: late ? 60_000 : 0, spreadMs: 0 };
          await fakeNode.put(view, slices, [family === "IPv4" ? vip : vip6], timing);
          for (const kind of packetKinds) {
            const seen = new Set(
              clientsOf(row, kind).map((client) => endingOf(row, send(fakeNode, row, kind, client))),
            );
            const expected = expectedEndings(row, kind);
            assert.deepEqual([...seen].sort(), [...expected].sort(), `${kind} ${JSON.stringify(row)}`);
          }
        }
      });
    }
