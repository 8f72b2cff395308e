import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import type { Dataplane } from "../../speaker/dataplane/dataplane.ts";
import { renderService } from "../../speaker/dataplane/render.ts";
import { parseAddress } from "../../src/ip/address.ts";
import type { EndpointSliceView } from "../../src/model/endpoint-slice.ts";
import type { ServiceView } from "../../src/model/service.ts";
import { endpoint, FakeNode, node, service, slice } from "../unit/speaker/dataplane/fake-node.ts";
import type { Ask } from "./ask-many.ts";
import { createKernelDataplane } from "./kernel-dataplane.ts";
import { Namespace, skipReason } from "./namespace.ts";
import { Program } from "./program.ts";
import { RemoteKernel } from "./remote-kernel.ts";

const vips = ["192.0.2.200", "192.0.2.201"] as const;
/** All endpoints that are generated. */
const pods = [1, 2, 3, 4, 5].map((host) => `10.244.1.${host}`);
const gateway = "10.244.1.254";
const sources = ["192.0.2.99", "192.0.2.98"] as const;

/** Longer than the test, so that no client is forgotten meanwhile. */
const affinityTimeoutSeconds = 10_800;

const everyPort = [
  { name: "http", protocol: "TCP", port: 80, nodePort: 30080, target: 8080 },
  { name: "dns-tcp", protocol: "TCP", port: 53, nodePort: 30053, target: 8080 },
  { name: "quic", protocol: "UDP", port: 80, nodePort: 30080, target: 5353 },
  { name: "dns", protocol: "UDP", port: 53, nodePort: 30053, target: 5353 },
] as const;

const someEndpoint = fc.record({
  address: fc.constantFrom(...pods),
  nodeName: fc.constantFrom("n1", "n2"),
  state: fc.constantFrom("ready", "ready", "ready", "terminating", "not ready"),
});

/** A Service as it may be in a cluster, its endpoints and its addresses. */
interface Change {
  readonly view: ServiceView;
  readonly slices: readonly EndpointSliceView[];
  readonly addresses: readonly string[];
}

/** A Service in a few words. */
interface Draft {
  readonly which: number;
  readonly ports: readonly (typeof everyPort)[number][];
  readonly withNodePorts: boolean;
  readonly forwarding: string | undefined;
  readonly externalTrafficPolicy: "Cluster" | "Local";
  readonly affinity: boolean;
  readonly sourceRanges: readonly string[];
  readonly endpoints: readonly { readonly address: string; readonly nodeName: string; readonly state: string }[];
}

const someChange: fc.Arbitrary<Change> = fc
  .record<Draft>({
    which: fc.constantFrom(0, 1),
    ports: fc.subarray([...everyPort], { minLength: 1 }),
    withNodePorts: fc.boolean(),
    forwarding: fc.constantFrom(undefined, "pods", "pods", "nodeport", "kube-proxy"),
    externalTrafficPolicy: fc.constantFrom("Cluster" as const, "Local" as const),
    affinity: fc.boolean(),
    sourceRanges: fc.constantFrom([], [], [], [`${sources[1]}/32`], ["10.0.0.0/8"]),
    endpoints: fc.uniqueArray(someEndpoint, { maxLength: 5, selector: ({ address }) => address }),
  })
  .map(changeOf);

function changeOf({ which, ports, withNodePorts, forwarding, affinity, endpoints, ...rest }: Draft): Change {
  const annotations: Record<string, string> = forwarding === undefined ? {} : { "bellhop.dev/forwarding": forwarding };
  const view = service({
    ...rest,
    key: `default/${which}`,
    annotations,
    ports: ports.map(({ target: _, nodePort, ...one }) => ({ ...one, nodePort: withNodePorts ? nodePort : 0 })),
    affinityTimeoutSeconds: affinity ? affinityTimeoutSeconds : undefined,
  });
  const entries = endpoints.map(({ address, nodeName, state }) =>
    endpoint(address, nodeName, {
      ready: state === "ready",
      serving: state !== "not ready",
      terminating: state === "terminating",
    }),
  );
  const targets = ports.map(({ name, protocol, target }) => ({ name, protocol, port: target }));
  return { view, slices: [slice(entries, { family: "IPv4", ports: targets })], addresses: [vips[which] ?? ""] };
}

/** Comes first, so that each kind of answer occurs at least once. */
const everyKind: readonly Change[] = [
  { which: 0, forwarding: "nodeport", withNodePorts: true, endpoints: [1, 2] },
  { which: 1, forwarding: "pods", withNodePorts: false, endpoints: [3] },
  { which: 0, forwarding: "pods", withNodePorts: false, endpoints: [] },
].map(({ endpoints, ...draft }) =>
  changeOf({
    ...draft,
    ports: [everyPort[0]],
    externalTrafficPolicy: "Cluster",
    affinity: false,
    sourceRanges: [],
    endpoints: endpoints.map((host) => ({ address: `10.244.1.${host}`, nodeName: "n1", state: "ready" })),
  }),
);

const skip = skipReason();
describe("the tracer and the kernel", { skip: skip ?? false }, () => {
  let client: Program;
  let dataplane: Dataplane;
  const fakeNode = new FakeNode();
  const end: (() => void)[] = [];
  let sourcePort = 20_000;

  before(async () => {
    const [far, n1, pod] = await Promise.all(["client", "n1", "pod"].map((name) => Namespace.create(name)));
    assert.ok(far && n1 && pod);
    end.push(...[far, n1, pod].map((namespace) => () => namespace.destroy()));
    await far.connect(n1, "eth0", "eth0");
    await n1.connect(pod, "cni0", "eth0");
    await far.sh("sysctl -qw net.ipv4.conf.all.accept_redirects=0 net.ipv4.conf.eth0.accept_redirects=0");
    for (const source of sources) await far.sh(`ip addr add ${source}/24 dev eth0`);
    // The node answers no ARP for the addresses here; who announces them is not what this is about.
    for (const to of [...vips, node.addresses.IPv4]) await far.sh(`ip route add ${to}/32 via 192.0.2.11`);
    // No refusal may be left out because there were many.
    await n1.sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0 net.ipv4.icmp_msgs_per_sec=100000 || true");
    await n1.sh(`ip addr add 192.0.2.11/24 dev eth0; ip addr add ${node.addresses.IPv4}/32 dev eth0`);
    // Where no rule is for an address, packets for it go back to the LAN, and are lost there.
    for (const vip of vips) await n1.sh(`ip neigh add ${vip} lladdr 02:00:00:00:00:99 dev eth0 nud permanent`);
    await n1.sh(`ip addr add ${gateway}/24 dev cni0`);
    for (const address of pods) await pod.sh(`ip addr add ${address}/24 dev eth0`);
    await pod.sh(`ip route add default via ${gateway}`);
    for (const [namespace, addresses, ports] of [
      [pod, pods, "8080,5353"],
      [n1, [node.addresses.IPv4], "30080,30053"],
    ] as const) {
      const server = new Program(namespace, "naming-server.ts", [addresses.join(","), ports]);
      end.push(() => server.kill());
      await server.line();
    }
    client = new Program(far, "ask-many.ts", []);
    end.push(() => client.kill());
    await client.line();
    const kernel = await RemoteKernel.start(n1);
    end.push(() => kernel.kill());
    dataplane = createKernelDataplane(kernel);
    end.push(() => dataplane.stop());
  });
  after(() => {
    for (const step of end.reverse()) step();
  });

  /** Writes the same into the kernel and into the fake. */
  async function put({ view, slices, addresses }: Change): Promise<void> {
    await fakeNode.put(view, slices, addresses);
    const parsed = addresses.flatMap((text) => parseAddress(text) ?? []);
    dataplane.setService(view.key, renderService(view, slices, parsed, node).elements);
    assert.deepEqual((await dataplane.apply({ nodeAddresses: node.addresses })).failures, []);
  }

  function asksOfEach(): readonly Ask[] {
    return vips.flatMap((address) =>
      (["tcp", "udp"] as const).flatMap((protocol) =>
        [53, 80].flatMap((port) =>
          sources.map((source) => {
            sourcePort += 1;
            return { protocol, source, sourcePort, address, port };
          }),
        ),
      ),
    );
  }

  /** What the client hears by the tracer. */
  async function traced({ protocol, source, sourcePort: sport, address, port }: Ask): Promise<string> {
    const outcome = fakeNode.send(address, { protocol, source, sport, port, syn: protocol === "tcp" });
    await fakeNode.remember(outcome);
    const { end: ending, packet, masqueraded } = outcome;
    if (ending === "refused") return "refused";
    const pod = ending === "forwarded" && pods.includes(packet.daddr);
    if (!pod && ending !== "local") return "silence";
    const reply = fakeNode.reply(outcome).packet;
    // The way of the rewrite back is by node port, and two of the generated Services may have the same.
    if (ending === "local" && (reply.saddr !== address || reply.sport !== port)) return "silence";
    return `${packet.daddr} ${packet.dport} from ${masqueraded ? gateway : source}`;
  }

  function kindOf(answer: string): string {
    const [address = ""] = answer.split(" ");
    return pods.includes(address) ? "pod" : address === node.addresses.IPv4 ? "node port" : answer;
  }

  async function heard(asks: readonly Ask[]): Promise<readonly string[]> {
    return JSON.parse(await client.say(JSON.stringify(asks)));
  }

  test("send new connections to the same pods, refuse the same and drop the same, for random Services one after the other", async () => {
    const kinds = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(someChange, { minLength: 2, maxLength: 5 }), async (steps) => {
        for (const step of steps) {
          await put(step);
          const asks = asksOfEach();
          const expected: string[] = [];
          for (const ask of asks) expected.push(await traced(ask));
          const answers = [...(await heard(asks))];
          // A busy machine may have been too slow.
          const late = asks.flatMap((ask, index) =>
            answers[index] === "silence" && expected[index] !== "silence" ? [{ ask, index }] : [],
          );
          const second = late.length === 0 ? [] : await heard(late.map(({ ask }) => ask));
          for (const [which, { index }] of late.entries()) answers[index] = second[which] ?? "";
          const told = (list: readonly string[]) =>
            asks.map(
              ({ protocol, address, port, source }, index) =>
                `${protocol} ${address} ${port} from ${source}: ${list[index]}`,
            );
          assert.deepEqual(told(answers), told(expected));
          for (const answer of answers) kinds.add(kindOf(answer));
        }
        for (const key of new Set(steps.map(({ view }) => view.key)))
          await put({ view: service({ key }), slices: [], addresses: [] });
      }),
      { numRuns: 12, endOnFailure: true, examples: [[[...everyKind]]] },
    );
    assert.deepEqual([...kinds].sort(), ["node port", "pod", "refused", "silence"]);
  });
});
