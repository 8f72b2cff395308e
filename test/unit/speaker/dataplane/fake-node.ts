import { Dataplane, type DataplaneSettings, type WriteResult } from "../../../../speaker/dataplane/dataplane.ts";
import { FakeConntrack } from "../../../../speaker/dataplane/fake-conntrack.ts";
import { createDataplaneMetrics } from "../../../../speaker/dataplane/metrics.ts";
import { type KubeProxyTiming, type NodeFacts, renderService } from "../../../../speaker/dataplane/render.ts";
import { FakeClock } from "../../../../src/clock/fake.ts";
import { parseAddress } from "../../../../src/ip/address.ts";
import { silentLogger } from "../../../../src/log/log.ts";
import { createRegistry } from "../../../../src/metrics/registry.ts";
import type { Endpoint, EndpointSliceView } from "../../../../src/model/endpoint-slice.ts";
import { projectService, type ServicePort, type ServiceView } from "../../../../src/model/service.ts";
import { addressData, type Data, macData, portData } from "../../../../src/nft/data.ts";
import { constant, field } from "../../../../src/nft/expression.ts";
import { FakeNft, type FakeTable } from "../../../../src/nft/fake-nft.ts";
import type { FieldName } from "../../../../src/nft/field.ts";
import type { Statement } from "../../../../src/nft/statement.ts";
import { type TraceOutcome, tracePacket, traceReply } from "../../../../src/nft/tracer.ts";
import type { NftIpFamily } from "../../../../src/nft/transaction.ts";

export const node: NodeFacts = {
  name: "n1",
  addresses: { IPv4: "172.30.0.11", IPv6: "fd00::11" },
  answersPing: true,
  hashSeed: 1,
};
export const settings: DataplaneSettings = { nodeAddresses: node.addresses };
export const vip = "192.0.2.200";
export const vip6 = "2001:db8::200";

export function port(change: Partial<ServicePort> = {}): ServicePort {
  return { name: "", protocol: "TCP", port: 80, nodePort: 30080, ...change };
}

/** The annotation that requests the rewrite to node ports. */
export const byNodePort = { annotations: { "bellhop.dev/forwarding": "nodeport" } };

export function service(change: Partial<ServiceView> = {}): ServiceView {
  const bare = projectService({
    metadata: { namespace: "default", name: "web", uid: "1" },
    spec: { type: "LoadBalancer" },
  });
  return { ...bare, ipFamilies: ["IPv4", "IPv6"], ports: [port()], ...change };
}

export function endpoint(
  address: string,
  nodeName: string | undefined = "n1",
  change: Partial<Endpoint> = {},
): Endpoint {
  return { address, nodeName, ready: true, serving: true, terminating: false, ...change };
}

export function slice(endpoints: readonly Endpoint[], change: Partial<EndpointSliceView> = {}): EndpointSliceView {
  return {
    key: "default/web-1",
    serviceKey: "default/web",
    family: endpoints[0]?.address.includes(":") === true ? "IPv6" : "IPv4",
    ports: [{ name: "", protocol: "TCP", port: 8080 }],
    endpoints,
    ...change,
  };
}

/** A node with the data plane under test, and a table that acts as kube-proxy's nat does. */
export class FakeNode {
  readonly nft = new FakeNft();
  readonly conntrack = new FakeConntrack();
  readonly clock = new FakeClock();
  readonly dataplane = new Dataplane({
    nft: this.nft,
    conntrack: this.conntrack,
    log: silentLogger,
    metrics: createDataplaneMetrics(createRegistry()),
    clock: this.clock,
    random: () => 0.5,
  });

  /** What it knows of itself. */
  readonly #node: NodeFacts;

  constructor(facts = node) {
    this.#node = facts;
    this.dataplane.setInterfaces(["eth0"]);
  }

  /**
   * kube-proxy with one rule of its own: what comes for `from` goes to `to`; with a port it is a rule for TCP, or for the protocol; with a `source`,
   * for that client.
   */
  async kubeProxy(family: NftIpFamily, from: Destination, to: Destination, source?: string): Promise<void> {
    const type = family === "ip" ? "ipv4_addr" : "ipv6_addr";
    const ports: readonly Statement[] =
      from.port === undefined ? [] : [match(`${from.protocol ?? "tcp"} dport`, portData(from.port))];
    const target: Statement = { kind: "dnat", to: constant(type, dataOf(to.address)) };
    const port = to.port === undefined ? {} : { port: constant("inet_service", portData(to.port)) };
    const client = source === undefined ? [] : [match(`${family} saddr`, dataOf(source))];
    const rule = [...client, match(`${family} daddr`, dataOf(from.address)), ...ports, { ...target, ...port }];
    const table = { family, name: "kube-proxy" };
    const base = { type: "nat", hook: "prerouting", priority: -100 } as const;
    await this.nft.run({
      commands: [
        { table, kind: "addTable" },
        { table, kind: "addChain", chain: "nat-prerouting", base },
        { table, kind: "addRule", chain: "nat-prerouting", rule },
      ],
    });
  }

  async put(
    view: ServiceView,
    slices: readonly EndpointSliceView[],
    addresses: readonly string[] = [vip, vip6],
    timing?: KubeProxyTiming,
  ): Promise<WriteResult> {
    const parsed = addresses.flatMap((text) => parseAddress(text) ?? []);
    const options = timing === undefined ? {} : { timing };
    this.dataplane.setService(view.key, renderService(view, slices, parsed, this.#node, options).elements);
    return this.dataplane.apply(settings);
  }

  /** Lets every wait after a failure pass, and writes again. */
  async retry(): Promise<WriteResult> {
    await this.clock.advance(10 * 60_000);
    return this.dataplane.apply(settings);
  }

  isApplied(text: string): boolean {
    const address = parseAddress(text);
    return address !== undefined && this.dataplane.isApplied(address);
  }

  tables(family: NftIpFamily): readonly FakeTable[] {
    return [...this.nft.tables.values()].filter((table) => table.family === family);
  }

  /** Sends the first packet of a connection from the LAN unless `change` says otherwise. There was no connection before it. */
  send(destination: string, change: Partial<SentPacket> = {}): TraceOutcome {
    const ipv6 = destination.includes(":");
    const packet = {
      iifname: change.from ?? "eth0",
      saddr: change.source ?? (ipv6 ? "2001:db8::99" : "192.0.2.99"),
      daddr: destination,
      l4proto: change.protocol ?? "tcp",
      sport: change.sport ?? 40_000,
      dport: change.port ?? 80,
      mark: 0,
      syn: change.syn ?? true,
      ...(change.icmpType === undefined ? {} : { icmpType: change.icmpType }),
      ...(change.hopLimit === undefined ? {} : { hopLimit: change.hopLimit }),
      ...(change.tcpFlags === undefined ? {} : { tcpFlags: change.tcpFlags }),
      ...(change.mac === undefined
        ? {}
        : { ether: { saddr: macData(change.mac), daddr: macData("02:00:00:00:00:aa") } }),
    };
    const local = [node.addresses.IPv4 ?? "", node.addresses.IPv6 ?? "", ...(change.onNode ?? [])];
    return tracePacket(this.tables(ipv6 ? "ip6" : "ip"), packet, {
      local,
      random: change.random ?? (() => 0),
      oifname: (to) => (to.startsWith("192.0.2.") || to.startsWith("2001:db8:") ? "eth0" : "cni0"),
      ...(change.state === undefined ? {} : { state: change.state }),
    });
  }

  /** Makes the changes of dynamic sets that a packet has made. */
  async remember({ updates, deletions, packet }: TraceOutcome): Promise<void> {
    const table = { family: packet.daddr.includes(":") ? "ip6" : "ip", name: "bellhop" } as const;
    await this.nft.run({
      commands: [
        ...deletions.map(({ set, element }) => ({ table, kind: "deleteElements", set, elements: [element] }) as const),
        ...updates.map(({ set, element }) => ({ table, kind: "addElements", set, elements: [element] }) as const),
      ],
    });
  }

  reply(request: TraceOutcome): TraceOutcome {
    return traceReply(this.tables(request.packet.daddr.includes(":") ? "ip6" : "ip"), request);
  }
}

/** An address, and a port if only that is meant. */
export interface Destination {
  readonly address: string;
  readonly port?: number;
  readonly protocol?: "tcp" | "udp";
}

function match(name: FieldName, right: Data): Statement {
  return { kind: "match", left: field(name), operator: "==", right };
}

function dataOf(address: string): Data {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new Error(`no address: ${address}`);
  return addressData(parsed);
}

export interface SentPacket {
  readonly from: string;
  readonly source: string;
  readonly protocol: string;
  readonly port: number;
  readonly sport: number;
  /** Whether it opens a connection; otherwise it belongs to one that runs. */
  readonly syn: boolean;
  readonly icmpType: number;
  /** Addresses that the node has beside its own. */
  readonly onNode: readonly string[];
  readonly hopLimit: number;
  /** Of a TCP packet that is not a SYN. */
  readonly tcpFlags: number;
  /** The hardware address that its frame came from. */
  readonly mac: string;
  /** What connection tracking says of it. */
  readonly state: "new" | "established" | "invalid";
  readonly random: () => number;
}

/** `end address port`, with `masqueraded` where so. */
export function where(outcome: TraceOutcome): string {
  const { end, packet, masqueraded } = outcome;
  if (end === "dropped") return `dropped in ${outcome.chain}`;
  if (end === "refused") return `refused by ${outcome.refusal} in ${outcome.chain}`;
  return `${end} ${packet.daddr} ${packet.dport}${masqueraded ? " masqueraded" : ""}`;
}
