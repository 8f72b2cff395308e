import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Dataplane } from "../../speaker/dataplane/dataplane.ts";
import { renderService } from "../../speaker/dataplane/render.ts";
import { parseAddress } from "../../src/ip/address.ts";
import type { ServiceView } from "../../src/model/service.ts";
import { byNodePort, endpoint, port, service, slice } from "../unit/speaker/dataplane/fake-node.ts";
import { createKernelDataplane } from "./kernel-dataplane.ts";
import { Lan } from "./lan.ts";
import { Namespace, skipReason } from "./namespace.ts";
import { patiently } from "./patience.ts";
import { scriptPath } from "./program.ts";
import { RemoteKernel } from "./remote-kernel.ts";
import { kubeProxyTable, nodePorts, podPorts, withoutNodePorts } from "./web-service.ts";

const families = ["ip", "ip6"] as const;
type Family = (typeof families)[number];

const node = { name: "n1", addresses: { IPv4: "192.0.2.11", IPv6: "2001:db8::11" }, answersPing: true, hashSeed: 1 };
const vips = { ip: "192.0.2.200", ip6: "2001:db8::200" } as const;
/** Behind the router, which is the client of the LAN; the way between them takes 1,300 bytes. */
const far = { ip: "198.51.100.2", ip6: "2001:db8:99::2" } as const;
const selves = { ip: "192.0.2.11", ip6: "2001:db8::11" } as const;
const pods = [
  { ip: "10.244.1.2", ip6: "fd01::2" },
  { ip: "10.244.2.2", ip6: "fd02::2" },
] as const;
/** Several segments, so that the first full one does not fit. */
const manyBytes = 200_000;

/** `closed`: a port on which no pod listens. */
const ports = [...nodePorts, port({ name: "closed", protocol: "UDP", port: 54, nodePort: 30054 })];
const targetPorts = [...podPorts, { name: "closed", protocol: "UDP", port: 5999 }] as const;

interface Path {
  readonly name: string;
  readonly change: Partial<ServiceView>;
  /** The pod that answers, as index. */
  readonly pod: 0 | 1;
}

const directly = { ports: withoutNodePorts(ports) };
/** Of these, connection tracking translates ICMP errors. */
const paths: readonly Path[] = [
  { name: "by kube-proxy's own rules", change: { ports }, pod: 1 },
  { name: "straight to a pod of this node", change: directly, pod: 0 },
  { name: "straight to a pod of another node", change: directly, pod: 1 },
];
const rewrite: Path = { name: "by the node port", change: { ...byNodePort, ports }, pod: 1 };

const skip = skipReason();
describe("long packets and ICMP errors", { skip: skip ?? false }, () => {
  let lan: Lan;
  let client: Namespace;
  let dataplane: Dataplane;
  let finished = () => {};

  before(async () => {
    lan = await Lan.create({ server: "size-server.ts" });
    finished = () => lan.destroy();
    client = await Namespace.create("far");
    finished = () => {
      client.destroy();
      lan.destroy();
    };
    const router = lan.client;
    await router.connect(client, "far0", "eth0");
    await router.sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; ip link set far0 mtu 1300");
    await router.sh("ip addr add 198.51.100.1/24 dev far0; ip addr add 2001:db8:99::1/64 dev far0 nodad");
    await client.sh(`ip addr add ${far.ip}/24 dev eth0; ip addr add ${far.ip6}/64 dev eth0 nodad`);
    await client.sh("ip route add default via 198.51.100.1; ip -6 route add default via 2001:db8:99::1");
    for (const host of lan.nodes)
      await host.sh("ip route add 198.51.100.0/24 via 192.0.2.99; ip -6 route add 2001:db8:99::/64 via 2001:db8::99");
    const [n1] = lan.nodes;
    await lan.start(n1, "responder-process.ts", ["eth0", ...Object.values(vips)]);
    const kernel = await RemoteKernel.start(n1);
    finished = () => {
      dataplane.stop();
      kernel.kill();
      client.destroy();
      lan.destroy();
    };
    dataplane = createKernelDataplane(kernel);
    for (const family of families) {
      const there = { address: vips[family], node: selves[family], pod: pods[1][family] };
      await n1.sh(`nft '${kubeProxyTable(family, { ...there, ports, targets: targetPorts })}'`);
    }
  });
  after(() => finished());

  async function put({ change, pod }: Path): Promise<void> {
    const view = service(change);
    const slices = families.map((family) =>
      slice([endpoint(pods[pod][family], pod === 0 ? "n1" : "n2")], {
        key: `default/web-${family}`,
        ports: targetPorts,
        family: family === "ip" ? "IPv4" : "IPv6",
      }),
    );
    const addresses = families.flatMap((family) => parseAddress(vips[family]) ?? []);
    dataplane.setService(view.key, renderService(view, slices, addresses, node).elements);
    await dataplane.apply({ nodeAddresses: node.addresses });
    // What was learned of the way before.
    for (const host of [...lan.nodes, ...lan.pods]) await host.sh("ip route flush cache; ip -6 route flush cache");
    for (const host of lan.nodes) await host.sh("conntrack -F 2>/dev/null");
  }

  function ask(from: Namespace, ...words: readonly (string | number)[]): Promise<string> {
    return from.sh([process.execPath, scriptPath("size-client.ts"), ...words].join(" "));
  }

  /** The address by which the pod knows the client behind the router. */
  function peerOf({ pod }: Path, family: Family): string {
    return pod === 0 ? far[family] : selves[family];
  }

  /** How many ICMP errors of the kind "destination unreachable" the pod has received. */
  async function unreachables(pod: Namespace, family: Family): Promise<number> {
    const counters = await pod.sh("nstat -asz");
    const name = family === "ip" ? "IcmpInDestUnreachs" : "Icmp6InDestUnreachs";
    return Number(new RegExp(`^${name}\\s+(\\d+)`, "m").exec(counters)?.[1]);
  }

  for (const family of families) {
    for (const path of paths) {
      test(`${family} ${path.name}: a pod learns of a hop with MTU 1300, and its answer arrives`, async () => {
        await put(path);
        assert.equal(await ask(client, "tcp", vips[family], 80, manyBytes), `${manyBytes}\n`);
        const route = await lan.pods[path.pod]?.sh(`ip route get ${peerOf(path, family)}`);
        assert.match(route ?? "", /mtu 1300/);
      });

      test(`${family} ${path.name}: a UDP client hears that its port is closed`, async () => {
        await put(path);
        assert.match(await ask(lan.client, "udp", vips[family], 54, 100), /ECONNREFUSED/);
      });

      test(`${family} ${path.name}: a pod hears that the port of a UDP client is closed`, async () => {
        await put(path);
        const pod = lan.pods[path.pod];
        assert.ok(pod !== undefined);
        const earlier = await unreachables(pod, family);
        assert.equal(await ask(lan.client, "udp-closed", vips[family], 53, 1), "sent\n");
        // This client is gone when the pod answers it, which it does when another one asks.
        assert.equal(await ask(lan.client, "udp", vips[family], 53, 2), "2\n");
        for (let tries = 0; tries < patiently(50) && (await unreachables(pod, family)) === earlier; tries++)
          await sleep(100);
        assert.ok((await unreachables(pod, family)) > earlier);
      });
    }

    for (const path of [...paths, rewrite]) {
      test(`${family} ${path.name}: datagrams in fragments arrive, and so do the answers`, async () => {
        await put(path);
        for (const bytes of [1_473, 3_000, 60_000])
          assert.equal(await ask(lan.client, "udp", vips[family], 53, bytes), `${bytes}\n`);
      });
    }

    test(`${family} by the node port: with a router that clamps the segment size, a hop with MTU 1300 does no harm`, async () => {
      await put(rewrite);
      const size = family === "ip" ? 1_260 : 1_240;
      const chain = `inet clamp { chain forward { type filter hook forward priority 0; tcp flags syn tcp option maxseg size set ${size}; }; }`;
      await lan.client.sh(`nft 'table ${chain}'`);
      try {
        assert.equal(await ask(client, "tcp", vips[family], 80, manyBytes), `${manyBytes}\n`);
      } finally {
        await lan.client.sh("nft delete table inet clamp");
      }
    });
  }
});
