import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Dataplane } from "../../speaker/dataplane/dataplane.ts";
import { renderService } from "../../speaker/dataplane/render.ts";
import { parseAddress } from "../../src/ip/address.ts";
import type { EndpointSliceView } from "../../src/model/endpoint-slice.ts";
import type { ServiceView } from "../../src/model/service.ts";
import { byNodePort, endpoint, service, slice } from "../unit/speaker/dataplane/fake-node.ts";
import { createKernelDataplane } from "./kernel-dataplane.ts";
import { Lan } from "./lan.ts";
import { type Namespace, skipReason } from "./namespace.ts";
import { RemoteKernel } from "./remote-kernel.ts";
import { nodePorts, podPorts } from "./web-service.ts";

const node = { name: "n1", addresses: { IPv4: "192.0.2.11", IPv6: "2001:db8::11" }, hashSeed: 1 };
const addresses = { ip: "192.0.2.200", ip6: "2001:db8::200" } as const;
const shownAsProxy = Object.values(addresses).map((ip) => ({ ip, ipMode: "Proxy", ports: [] }));
const view = service({ ...byNodePort, ports: nodePorts, ingress: shownAsProxy });
const slices = [
  slice([endpoint("10.244.2.2", "n2")], { ports: podPorts }),
  slice([endpoint("fd02::2", "n2")], { ports: podPorts, key: "default/web-6" }),
];

/** What kube-proxy does for node ports, at prerouting and at output; it knows nothing of the address. Always to the pod of n2. */
function kubeProxyRules(family: "ip" | "ip6"): string {
  const [self, pod] = family === "ip" ? ["192.0.2.11", "10.244.2.2"] : ["2001:db8::11", "[fd02::2]"];
  return `table ${family} kube-proxy {
    chain services {
      ${family} daddr ${self} tcp dport 30080 meta mark set meta mark or 0x4000 dnat to ${pod}:8080
      ${family} daddr ${self} udp dport 30053 meta mark set meta mark or 0x4000 dnat to ${pod}:5353
    }
    chain nat-prerouting { type nat hook prerouting priority -100; jump services; }
    chain nat-output { type nat hook output priority -100; jump services; }
    chain nat-postrouting { type nat hook postrouting priority 100;
      meta mark and 0x4000 == 0x4000 meta mark set meta mark xor 0x4000 masquerade
    }
  }`;
}

const skip = skipReason();
describe("clients in the cluster, where no service proxy knows the address", { skip: skip ?? false }, () => {
  let lan: Lan;
  let finished = () => {};
  let dataplane: Dataplane;
  before(async () => {
    lan = await Lan.create();
    finished = () => lan.destroy();
    const [n1] = lan.nodes;
    await lan.start(n1, "responder-process.ts", ["eth0", ...Object.values(addresses)]);
    const kernel = await RemoteKernel.start(n1);
    finished = () => {
      dataplane.stop();
      kernel.kill();
      lan.destroy();
    };
    dataplane = createKernelDataplane(kernel);
    // The pod is behind the interface that the client is behind. A redirect would count against the client's allowance of ICMP errors
    // (net/ipv4/route.c, ip_rt_send_redirect), which are how a datagram is refused.
    for (const name of ["all", "eth0"]) await n1.sh(`sysctl -qw net.ipv4.conf.${name}.send_redirects=0`);
    for (const family of ["ip", "ip6"] as const) await n1.sh(`nft '${kubeProxyRules(family)}'`);
    await put(view);
  });
  after(() => finished());

  async function put(changed: ServiceView, present: readonly EndpointSliceView[] = slices): Promise<void> {
    const parsed = Object.values(addresses).flatMap((text) => parseAddress(text) ?? []);
    dataplane.setService(changed.key, renderService(changed, present, parsed, node).elements);
    const { failures, refusalsChanged } = await dataplane.apply({ nodeAddresses: node.addresses });
    assert.deepEqual([failures, refusalsChanged], [[], []]);
  }

  function ask(from: Namespace, protocol: "tcp" | "udp", address: string, times: number): Promise<readonly string[]> {
    return lan.ask(protocol, address, protocol === "tcp" ? 80 : 53, times, 0, from);
  }

  for (const [family, address] of Object.entries(addresses)) {
    for (const protocol of ["tcp", "udp"] as const) {
      for (const [words, from] of [
        ["the client on the LAN", () => lan.client],
        ["a pod of the announcing node", () => lan.pods[0]],
        ["the announcing node itself", () => lan.nodes[0]],
        ["another node, over the LAN", () => lan.nodes[1]],
      ] as const) {
        test(`${protocol} over ${family} from ${words}`, async () => {
          const namespace = from();
          assert.ok(namespace);
          const answers = await ask(namespace, protocol, address, 3);
          assert.equal(answers.length, 3);
          for (const answer of answers) assert.match(answer, /^pod2 /);
        });
      }
    }
  }

  test("a port without endpoints refuses every client at once", async () => {
    // The last answer through the node was a moment ago.
    await ask(lan.client, "tcp", addresses.ip, 1);
    await put(view, []);
    const clients = { "the client on the LAN": lan.client, "a pod": lan.pods[0], "the node": lan.nodes[0] };
    for (const address of Object.values(addresses)) {
      for (const [words, from] of Object.entries(clients)) {
        assert.ok(from);
        for (const protocol of ["tcp", "udp"] as const) {
          const answer = (await ask(from, protocol, address, 1)).join();
          assert.match(answer, /ECONNREFUSED/, `${protocol} from ${words} to ${address}: ${answer}`);
        }
      }
    }
    await put(view);
  });

  test("source ranges exclude pods and the node itself", async () => {
    await put({ ...view, sourceRanges: ["192.0.2.99/32", "2001:db8::99/128"] });
    for (const address of Object.values(addresses)) {
      assert.match((await ask(lan.client, "tcp", address, 1)).join(), /^pod2 /);
      for (const from of [lan.pods[0], lan.nodes[0]]) {
        assert.ok(from);
        assert.doesNotMatch((await ask(from, "tcp", address, 1)).join(), /pod2/);
      }
    }
    await put(view);
  });
});
