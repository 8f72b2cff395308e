import { parseAddress } from "../../src/ip/address.ts";
import type { NftCommand } from "../../src/nft/transaction.ts";
import { byNodePort, endpoint, FakeNode, port, service, slice } from "../unit/speaker/dataplane/fake-node.ts";

/** Everything that the speaker writes for Services of every kind: each table as a whole. */
export async function productTables(): Promise<Readonly<Record<"ip" | "ip6", readonly NftCommand[]>>> {
  const node = new FakeNode();
  const endpoints = [endpoint("10.244.1.2"), endpoint("10.244.2.2", "n2")];
  const endpoints6 = [endpoint("fd01::2"), endpoint("fd02::2", "n2")];
  const protocols = [
    { name: "", protocol: "TCP", port: 8080 },
    { name: "dns", protocol: "UDP", port: 5353 },
  ] as const;
  const slices = [
    slice(endpoints, { ports: protocols }),
    slice(endpoints6, { ports: protocols, key: "default/web-6" }),
  ];
  const toPods = [port({ nodePort: 0 }), port({ name: "dns", protocol: "UDP", port: 53, nodePort: 0 })];
  const sourceRanges = ["10.0.0.0/8", "192.0.2.64/26", "2001:db8::/32", "fd00::1/128"];
  await node.put(service({ ports: toPods, sourceRanges }), slices, ["192.0.2.200", "2001:db8::200"]);
  await node.put(service({ key: "default/a", ports: toPods, affinityTimeoutSeconds: 10 }), slices, [
    "192.0.2.201",
    "2001:db8::201",
  ]);
  await node.put(service({ key: "default/b" }), slices, ["192.0.2.202", "2001:db8::202"]);
  // A delay that is not 0 makes Bellhop step in for kube-proxy, so it learns what kube-proxy chooses.
  const timing = { before: undefined, nowMs: 0, delayMs: 1, spreadMs: 0 };
  const learned = service({ key: "default/e", affinityTimeoutSeconds: 10 });
  await node.put(learned, slices, ["192.0.2.205", "2001:db8::205"], timing);
  await node.put(service({ key: "default/c" }), [], ["192.0.2.203", "2001:db8::203"]);
  const rewritten = ["192.0.2.204", "2001:db8::204"];
  const inCluster = rewritten.map((ip) => ({ ip, ipMode: "Proxy" as const, ports: [] }));
  const toNodePorts = [port(), port({ name: "dns", protocol: "UDP", port: 53, nodePort: 30053 })];
  const proxyMode = service({ key: "default/d", ...byNodePort, ports: toNodePorts, sourceRanges, ingress: inCluster });
  await node.put(proxyMode, slices, rewritten);
  node.dataplane.setPeer("n2", ["02:00:00:00:00:02", "02:00:00:00:00:03"]);
  for (const [text, next] of [
    ["192.0.2.200", "192.0.2.12"],
    ["2001:db8::200", "2001:db8::12"],
  ]) {
    const [address, to] = [parseAddress(text ?? ""), parseAddress(next ?? "")];
    if (address === undefined || to === undefined) throw new Error(text);
    const holder = { node: "n2", address: to, macs: ["02:00:00:00:00:02"], device: { name: "lo", index: 1 } };
    node.dataplane.setHolders(address, { current: { ...holder, node: "n3" }, previous: [holder] });
  }
  node.dataplane.invalidate();
  await node.put(service({ key: "default/none" }), [], []);
  const whole = (family: "ip" | "ip6") =>
    node.nft.accepted.findLast(({ commands }) => commands[0]?.table.family === family)?.commands ?? [];
  return { ip: whole("ip"), ip6: whole("ip6") };
}
