import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Dataplane } from "../../speaker/dataplane/dataplane.ts";
import { type KubeProxyTiming, renderService } from "../../speaker/dataplane/render.ts";
import { formatAddress, parseAddress } from "../../src/ip/address.ts";
import type { EndpointSliceView } from "../../src/model/endpoint-slice.ts";
import type { ServiceView } from "../../src/model/service.ts";
import { byNodePort, endpoint, port, service, slice } from "../unit/speaker/dataplane/fake-node.ts";
import { createKernelDataplane } from "./kernel-dataplane.ts";
import { Lan } from "./lan.ts";
import { skipReason } from "./namespace.ts";
import { patiently } from "./patience.ts";
import { RemoteKernel } from "./remote-kernel.ts";
import { kubeProxyTable, nodePorts, podPorts, withoutNodePorts } from "./web-service.ts";

const node = { name: "n1", addresses: { IPv4: "192.0.2.11", IPv6: "2001:db8::11" }, answersPing: true, hashSeed: 1 };
const addresses = { ip: "192.0.2.200", ip6: "2001:db8::200" } as const;
/** Kube-proxy knows these addresses, too. */
const proxied = { ip: "192.0.2.202", ip6: "2001:db8::202" } as const;
const clients = { ip: "192.0.2.99", ip6: "2001:db8::99" } as const;
const [pod1, pod2] = [
  { ip: "10.244.1.2", ip6: "fd01::2" },
  { ip: "10.244.2.2", ip6: "fd02::2" },
];

/** Slices of both families with the pods of the nodes named. */
function slicesOf(...nodes: readonly ("n1" | "n2")[]): readonly EndpointSliceView[] {
  return (["ip", "ip6"] as const).map((family) =>
    slice(
      nodes.map((name) => endpoint((name === "n1" ? pod1 : pod2)[family], name)),
      { key: `default/web-${family}`, ports: podPorts, family: family === "ip" ? "IPv4" : "IPv6" },
    ),
  );
}

/** What an earlier version left on the node: other names, and one of today's names for a map of another type. */
function olderTable(family: "ip" | "ip6"): string {
  return `table ${family} bellhop {
    set lan { type ifname; elements = { "eth0" }; }
    map node_ports { type ifname : inet_service; elements = { "eth0" : 80 }; }
    chain pick_random_1 { }
    chain stray { type filter hook forward priority 10; iifname @lan drop; }
  }`;
}

const skip = skipReason();
describe("packets through the kernel", { skip: skip ?? false }, () => {
  let lan: Lan;
  let finished = () => {};
  let dataplane: Dataplane;
  before(async () => {
    lan = await Lan.create();
    finished = () => lan.destroy();
    const [n1] = lan.nodes;
    await lan.start(n1, "responder-process.ts", [
      "eth0",
      ...Object.values(addresses),
      ...Object.values(proxied),
      "192.0.2.201",
    ]);
    const kernel = await RemoteKernel.start(n1);
    finished = () => {
      dataplane.stop();
      kernel.kill();
      lan.destroy();
    };
    dataplane = createKernelDataplane(kernel);
    for (const family of ["ip", "ip6"] as const) {
      const self = node.addresses[family === "ip" ? "IPv4" : "IPv6"];
      const table = kubeProxyTable(family, { address: proxied[family], node: self, pod: pod2[family] });
      await n1.sh(`nft '${table}'`);
      await n1.sh(`nft '${olderTable(family)}'`);
    }
  });
  after(() => finished());

  async function put(
    view: ServiceView,
    slices: readonly EndpointSliceView[],
    vips: readonly string[] = Object.values(addresses),
    timing?: KubeProxyTiming,
  ) {
    const { elements } = renderService(
      view,
      slices,
      vips.flatMap((text) => parseAddress(text) ?? []),
      node,
      timing === undefined ? {} : { timing },
    );
    dataplane.setService(view.key, elements);
    await dataplane.apply({ nodeAddresses: node.addresses });
  }

  /** Writes, and waits until the UDP flow that a client had from this port is deleted: nothing else waits for that. */
  async function putAndEndFlow(family: "ip" | "ip6", sourcePort: number, ...change: Parameters<typeof put>) {
    await put(...change);
    const list = `conntrack -L -p udp -f ${family === "ip" ? "ipv4" : "ipv6"} --orig-port-src ${sourcePort} 2>/dev/null`;
    const limitMs = performance.now() + patiently(5_000);
    while ((await lan.nodes[0].sh(list)) !== "" && performance.now() < limitMs) await sleep(20);
    assert.equal(await lan.nodes[0].sh(list), "");
  }

  const viaNodePorts = { ...byNodePort, ports: nodePorts };
  const toPods = withoutNodePorts(nodePorts);
  const questions = [
    ["tcp", 80],
    ["udp", 53],
  ] as const;

  test("the first write replaces the table of an earlier version as a whole", async () => {
    await put(service(viaNodePorts), slicesOf("n2"));
    for (const family of ["ip", "ip6"] as const) {
      const table = await lan.nodes[0].sh(`nft list table ${family} bellhop`);
      const names = [...table.matchAll(/^\t(?:set|map|chain) (\w+) \{/gm)].map(([, name]) => name);
      assert.ok(names.includes("lan_interfaces") && names.includes("drop_unhandled"), table);
      for (const name of ["lan", "stray", "pick_random_1"]) assert.ok(!names.includes(name), table);
    }
  });

  for (const family of ["ip", "ip6"] as const) {
    for (const [protocol, number] of questions) {
      test(`${family} ${protocol} by the node port, which kube-proxy serves`, async () => {
        await put(service(viaNodePorts), slicesOf("n2"));
        const self = family === "ip" ? "192.0.2.11" : "2001:db8::11";
        const seen = family === "ip" ? "192.0.2.11" : "2001:db8::11";
        assert.deepEqual(await lan.ask(protocol, addresses[family], number, 3), Array(3).fill(`pod2 ${seen}`));
        // The plain node port continues to work beside it.
        const nodePort = protocol === "tcp" ? 30080 : 30053;
        assert.deepEqual(await lan.ask(protocol, self, nodePort), [`pod2 ${seen}`]);
      });

      test(`${family} ${protocol} straight to a pod of this node, which sees the client`, async () => {
        await put(service({ ports: toPods }), slicesOf("n1"));
        assert.deepEqual(
          await lan.ask(protocol, addresses[family], number, 3),
          Array(3).fill(`pod1 ${clients[family]}`),
        );
      });

      test(`${family} ${protocol} straight to a pod of another node, behind this node's address`, async () => {
        await put(service({ ports: toPods }), slicesOf("n2"));
        const self = family === "ip" ? "192.0.2.11" : "2001:db8::11";
        assert.deepEqual(await lan.ask(protocol, addresses[family], number, 3), Array(3).fill(`pod2 ${self}`));
      });
    }

    test(`${family}: both pods get their share, and with affinity one client stays with one`, async () => {
      await put(service({ ports: toPods }), slicesOf("n1", "n2"));
      const names = (answers: readonly string[]) => new Set(answers.map((answer) => answer.split(" ")[0]));
      assert.deepEqual([...names(await lan.ask("tcp", addresses[family], 80, 40))].sort(), ["pod1", "pod2"]);
      await put(service({ ports: toPods, affinityTimeoutSeconds: 10_800 }), slicesOf("n1", "n2"));
      assert.equal(names(await lan.ask("tcp", addresses[family], 80, 20)).size, 1);
    });

    test(`${family}: source ranges let in and keep out, on both ways`, async () => {
      for (const way of [viaNodePorts, { ports: toPods }]) {
        const wrong = family === "ip" ? "198.51.100.0/24" : "2001:db8:1::/48";
        await put(service({ ...way, sourceRanges: [wrong] }), slicesOf("n2"));
        assert.deepEqual(await lan.ask("tcp", addresses[family], 80), ["timeout"]);
        await put(
          service({ ...way, sourceRanges: [wrong, `${clients[family]}/${family === "ip" ? 32 : 128}`] }),
          slicesOf("n2"),
        );
        assert.match((await lan.ask("tcp", addresses[family], 80))[0] ?? "", /^pod2 /);
      }
    });
  }

  for (const family of ["ip", "ip6"] as const) {
    for (const [words, way, address] of [
      ["by the node port", viaNodePorts, addresses[family]],
      ["straight to pods", { ports: toPods }, addresses[family]],
      ["by kube-proxy", { ports: nodePorts }, proxied[family]],
    ] as const) {
      test(`${family} without endpoints: every attempt ${words} is refused, no redirect is sent and no connection stays`, async () => {
        const [n1] = lan.nodes;
        const view = service({ ...way, key: "default/refused" });
        await put(service(), [], []);
        const redirects = () => n1.sh("nstat -asz IcmpOutRedirects Icmp6OutRedirects | grep OutRedirects");
        await put(view, [], [address]);
        const tracked = family === "ip" ? "ipv4" : "ipv6";
        await n1.sh(`conntrack -F -f ${tracked}`);
        try {
          const before = await redirects();
          const refused = Array(20).fill(`connect ECONNREFUSED ${address}:80`);
          assert.deepEqual(await lan.ask("tcp", address, 80, 20), refused);
          assert.match((await lan.ask("udp", address, 53))[0] ?? "", /ECONNREFUSED/);
          assert.equal(await redirects(), before);
          assert.doesNotMatch(await n1.sh(`conntrack -L -f ${tracked}`), new RegExp(`src=${clients[family]} `));
          await put(view, slicesOf("n2"), [address]);
          assert.match((await lan.ask("tcp", address, 80))[0] ?? "", /^pod2 /);
          assert.match((await lan.ask("udp", address, 53))[0] ?? "", /^pod2 /);
        } finally {
          await put(view, [], []);
        }
      });
    }

    test(`${family}: the address answers ping, and nothing else of the node answers on it, though an interface has it`, async () => {
      const [n1] = lan.nodes;
      await put(service({ ports: toPods }), slicesOf("n1"));
      const server = await lan.start(n1, "echo-server.ts", ["n1"]);
      await n1.sh(`ip addr add ${addresses[family]} dev lo`);
      try {
        assert.match(
          await lan.client.sh(`ping -n -c 1 -W 2 ${addresses[family]}`),
          new RegExp(`from ${addresses[family]}: `),
        );
        assert.deepEqual(await lan.ask("tcp", addresses[family], 8080), ["timeout"]);
        assert.deepEqual(await lan.ask("udp", addresses[family], 5353), ["timeout"]);
        for (const [protocol, number] of questions) {
          assert.match((await lan.ask(protocol, addresses[family], number))[0] ?? "", /^pod1 /);
        }
      } finally {
        await n1.sh(`ip addr del ${addresses[family]} dev lo`);
        server.kill();
      }
      assert.match(
        await lan.client.sh(`ping -n -c 1 -W 2 ${addresses[family]}`),
        new RegExp(`from ${addresses[family]}: `),
      );
    });

    if (family === "ip6")
      test("ip6: a neighbor that asks whether the address is still there is answered, and sent no redirect", async () => {
        const [n1] = lan.nodes;
        await put(service({ ports: toPods }), slicesOf("n1"));
        assert.match((await lan.ask("tcp", addresses.ip6, 80))[0] ?? "", /^pod1 /);
        const redirects = () => n1.sh("nstat -asz Icmp6OutRedirects | grep OutRedirects");
        const before = await redirects();
        const entry = `ip neigh show ${addresses.ip6} dev eth0`;
        // It asks the node at whose hardware address it knows the address, and forgets the entry without an answer.
        await lan.client.sh(`ip neigh change ${addresses.ip6} dev eth0 nud probe`);
        const limitMs = performance.now() + patiently(5_000);
        while (/PROBE/.test(await lan.client.sh(entry)) && performance.now() < limitMs) await sleep(20);
        assert.match(await lan.client.sh(entry), /REACHABLE/);
        assert.equal(await redirects(), before);
      });

    test(`${family}: a TCP connection that the node no longer knows is reset, and no entry is made for it`, async () => {
      const [n1, n2] = lan.nodes;
      const server = await lan.start(n2, "silent-server.ts", []);
      const host = { ip: "192.0.2.12", ip6: "2001:db8::12" }[family];
      await put(service({ ports: toPods }), [slice([endpoint(host, "n2")], { ports: podPorts })]);
      const connection = await lan.start(lan.client, "open-connection.ts", [addresses[family], "80"]);
      const tracked = `-f ${family === "ip" ? "ipv4" : "ipv6"} -p tcp --orig-dst ${addresses[family]}`;
      assert.match(await n1.sh(`conntrack -L ${tracked}`), /ESTABLISHED/);
      await n1.sh(`conntrack -D ${tracked}`);
      // Of a pod, which would reset it as well, nothing is heard any longer.
      const silent = { ip: "10.244.2.99", ip6: "fd02::99" }[family];
      await put(service({ ports: toPods }), [slice([endpoint(silent, "n2")], { ports: podPorts })]);
      const silence = new Promise((resolve) => setTimeout(resolve, patiently(2000), "silence"));
      assert.equal(await Promise.race([connection.say("?"), silence]), "read ECONNRESET");
      assert.equal((await n1.sh(`conntrack -L ${tracked}`)).trim(), "");
      server.kill();
    });

    test(`${family}: a pod of this node that is on the LAN itself answers`, async () => {
      const host = { ip: "192.0.2.12", ip6: "2001:db8::12" }[family];
      const server = await lan.start(lan.nodes[1], "echo-server.ts", ["on-lan"]);
      const own = [slice([endpoint(host, "n1")], { ports: podPorts })];
      await put(service({ ports: toPods }), own);
      for (const [protocol, number] of questions) {
        const node1 = { ip: "192.0.2.11", ip6: "2001:db8::11" }[family];
        assert.deepEqual(await lan.ask(protocol, addresses[family], number), [`on-lan ${node1}`]);
      }
      server.kill();
    });

    for (const [protocol, number] of questions) {
      test(`${family} ${protocol}: a client with affinity stays when a pod comes, and chooses again after its pod or the time is gone`, async () => {
        const ask = async () => (await lan.ask(protocol, addresses[family], number))[0]?.split(" ")[0];
        const podsAre = (timeout: number, ...nodes: readonly ("n1" | "n2")[]) =>
          put(service({ ports: toPods, affinityTimeoutSeconds: timeout }), slicesOf(...nodes));
        await podsAre(1000, "n1", "n2");
        const chosen = (await ask()) === "pod1" ? "n1" : "n2";
        const other = chosen === "n1" ? "n2" : "n1";
        const podOf = { n1: "pod1", n2: "pod2" };
        await podsAre(1000, other);
        assert.equal(await ask(), podOf[other], "no packet is lost");
        await podsAre(1000, "n1", "n2");
        assert.equal(await ask(), podOf[other], "it stays though its bucket leads to another pod");
        dataplane.invalidate();
        await podsAre(1000, "n1", "n2");
        assert.equal(await ask(), podOf[other], "also when the table is replaced");
        await put(service(), [], []);
        await podsAre(1, other);
        assert.equal(await ask(), podOf[other]);
        await podsAre(1, "n1", "n2");
        await new Promise((resolve) => setTimeout(resolve, 1500));
        assert.equal(await ask(), podOf[chosen], "after the time it has that of its bucket");
        await put(service(), [], []);
      });
    }

    test(`${family}: source ranges do not answer clients that they exclude`, async () => {
      const wrong = family === "ip" ? "198.51.100.0/24" : "2001:db8:1::/48";
      await put(service({ ports: toPods, sourceRanges: [wrong] }), []);
      assert.deepEqual(await lan.ask("tcp", addresses[family], 80), ["timeout"]);
    });

    test(`${family}: under Local a node without endpoints keeps silent while another node has one`, async () => {
      await put(service({ ports: toPods, externalTrafficPolicy: "Local" }), slicesOf("n2"));
      assert.deepEqual(await lan.ask("tcp", addresses[family], 80), ["timeout"]);
    });
  }

  test("a datagram without a checksum is answered, by the node port and straight from a pod", async () => {
    for (const way of [viaNodePorts, { ports: toPods }]) {
      await put(service(way), slicesOf("n2"));
      assert.deepEqual(await lan.ask("udp-without-checksum", addresses.ip, 53), [`pod2 ${node.addresses.IPv4}`]);
    }
  });

  test("two Services share a node and do not mix up their ports", async () => {
    await put(service({ ports: toPods }), slicesOf("n1"));
    await put(service({ ...viaNodePorts, key: "default/other" }), slicesOf("n2"), ["192.0.2.201"]);
    assert.deepEqual(await lan.ask("tcp", addresses.ip, 80), ["pod1 192.0.2.99"]);
    assert.deepEqual(await lan.ask("tcp", "192.0.2.201", 80), ["pod2 192.0.2.11"]);
    assert.deepEqual(await lan.ask("udp", "192.0.2.201", 53), ["pod2 192.0.2.11"]);
    await put(service({ key: "default/other" }), [], []);
  });

  for (const family of ["ip", "ip6"] as const) {
    for (const [protocol, number, nodePort] of [
      ["tcp", 80, 30080],
      ["udp", 53, 30053],
    ] as const) {
      test(`${family} ${protocol}: a client that uses one port for the address and for the node port is answered by both`, async () => {
        await put(service(viaNodePorts), slicesOf("n2"));
        const self = node.addresses[family === "ip" ? "IPv4" : "IPv6"];
        for (let round = 0; round < 3; round++) {
          assert.deepEqual(await lan.ask(protocol, addresses[family], number, 1, 23_000), [`pod2 ${self}`]);
          assert.deepEqual(await lan.ask(protocol, self, nodePort, 1, 23_000), [`pod2 ${self}`]);
        }
      });
    }

    test(`${family}: a UDP client that does not change its port follows when the pod is replaced`, async () => {
      const ask = () => lan.ask("udp", addresses[family], 53, 1, 21_000);
      await put(service({ ports: toPods }), slicesOf("n1"));
      assert.match((await ask())[0] ?? "", /^pod1 /);
      await putAndEndFlow(family, 21_000, service({ ports: toPods }), slicesOf("n2"));
      assert.match((await ask())[0] ?? "", /^pod2 /);
    });

    test(`${family}: a UDP client that was there before the Service is answered once the Service is there`, async () => {
      await put(service(), [], []);
      const ask = () => lan.ask("udp", addresses[family], 53, 1, 22_000);
      assert.doesNotMatch((await ask())[0] ?? "", /^pod/);
      await putAndEndFlow(family, 22_000, service({ ports: toPods }), slicesOf("n1"));
      assert.match((await ask())[0] ?? "", /^pod1 /);
    });
  }

  const late: KubeProxyTiming = { before: undefined, nowMs: 0, delayMs: 60_000, spreadMs: 0 };
  for (const family of ["ip", "ip6"] as const) {
    const vip = proxied[family];
    const self = node.addresses[family === "ip" ? "IPv4" : "IPv6"];
    const gateway = family === "ip" ? "10.244.1.1" : "fd01::1";
    for (const [protocol, number] of questions) {
      test(`${family} ${protocol} by kube-proxy's own rules, and straight to a pod while it may be late`, async () => {
        const view = service({ key: "default/proxied", ports: nodePorts });
        // The rules of kube-proxy lead to the pod of n2, ours to that of n1.
        await put(view, slicesOf("n1"), [vip], late);
        assert.deepEqual(await lan.ask(protocol, vip, number, 3), Array(3).fill(`pod1 ${gateway}`));
        await put(view, slicesOf("n1"), [vip]);
        assert.deepEqual(await lan.ask(protocol, vip, number, 3), Array(3).fill(`pod2 ${self}`));
        await put(view, [], []);
      });
    }

    test(`${family}: a UDP flow that began straight to a pod stays there when kube-proxy takes over`, async () => {
      const view = service({ key: "default/proxied", ports: nodePorts });
      const ask = () => lan.ask("udp", vip, 53, 1, 25_000);
      await put(view, slicesOf("n1"), [vip], late);
      assert.deepEqual(await ask(), [`pod1 ${gateway}`]);
      await put(view, slicesOf("n1"), [vip]);
      assert.deepEqual(await ask(), [`pod1 ${gateway}`]);
      await put(view, [], []);
    });

    for (const [words, way, address] of [
      ["by the node port", viaNodePorts, addresses[family]],
      ["straight to pods", { ports: toPods }, addresses[family]],
      ["by kube-proxy", { ports: nodePorts }, vip],
    ] as const) {
      test(`${family}: ${words}, source ranges that exclude a client end no flow that is open`, async () => {
        const sourceRanges = [family === "ip" ? "198.51.100.0/24" : "2001:db8:1::/48"];
        const view = service({ ...way, key: "default/ranged" });
        await put(service(), [], []);
        await put(view, slicesOf("n2"), [address]);
        const open = () => lan.ask("udp", address, 53, 1, 26_000);
        assert.deepEqual(await open(), [`pod2 ${self}`]);
        await put({ ...view, sourceRanges }, slicesOf("n2"), [address]);
        assert.deepEqual(await open(), [`pod2 ${self}`]);
        assert.deepEqual(await lan.ask("udp", address, 53, 1, 26_001), ["timeout"]);
        assert.deepEqual(await lan.ask("tcp", address, 80), ["timeout"]);
        await put(view, [], []);
      });
    }

    test(`${family}: the rewrite to node ports works beside rules that set the marks of connections`, async () => {
      const [n1] = lan.nodes;
      await n1.sh(
        `nft 'table ${family} marks { chain prerouting { type filter hook prerouting priority -150; ct mark set 0x1; }; }'`,
      );
      await put(service(viaNodePorts), slicesOf("n2"));
      for (const [protocol, number] of questions) {
        assert.deepEqual(await lan.ask(protocol, addresses[family], number), [`pod2 ${self}`]);
      }
      await n1.sh(`nft delete table ${family} marks`);
    });

    test(`${family}: a host firewall that closes node ports closes an address only where its port is rewritten to one`, async () => {
      const [n1] = lan.nodes;
      // Only to the client: answers of pods on other nodes go to random ports of this one, which may be among them.
      const closed = `iifname eth0 ${family} saddr ${clients[family]} meta l4proto { tcp, udp } th dport 30000-32767 drop`;
      await n1.sh(
        `nft 'table ${family} firewall { chain raw { type filter hook prerouting priority -300; ${closed}; }; }'`,
      );
      const proxiedView = service({ key: "default/proxied", ports: nodePorts });
      await put(proxiedView, slicesOf("n1"), [vip]);
      await put(service({ ports: toPods }), slicesOf("n1"));
      for (const [protocol, number] of questions) {
        assert.deepEqual(await lan.ask(protocol, vip, number), [`pod2 ${self}`]);
        assert.deepEqual(await lan.ask(protocol, addresses[family], number), [`pod1 ${clients[family]}`]);
      }
      assert.deepEqual(await lan.ask("tcp", self, 30080), ["timeout"]);
      await put(service(viaNodePorts), slicesOf("n2"));
      assert.deepEqual(await lan.ask("tcp", addresses[family], 80), ["timeout"]);
      await put(proxiedView, [], []);
      await n1.sh(`nft delete table ${family} firewall`);
    });

    test(`${family}: a UDP flow through kube-proxy's rule that outlives its Service is deleted`, async () => {
      const view = service({ key: "default/proxied", ports: nodePorts });
      const flows = async () => {
        const listed = await lan.nodes[0].sh(`conntrack -L -p udp -f ${family === "ip" ? "ipv4" : "ipv6"} -d ${vip}`);
        return listed.split("\n").filter((line) => line.includes("dport=53")).length;
      };
      await put(view, slicesOf("n2"), [vip]);
      await put(view, [], []);
      // Up to a minute after an earlier test has removed its Service, flows to it are deleted again.
      let open = await flows();
      for (let attempt = 0; attempt < 10 && open === 0; attempt++) {
        assert.deepEqual(await lan.ask("udp", vip, 53, 1, 27_000), [`pod2 ${self}`]);
        open = await flows();
      }
      assert.equal(open, 1);
      // As the next Service on the address, which has no such port.
      await put(service({ key: "default/next", ports: [port({ port: 81, nodePort: 0 })] }), slicesOf("n1"), [vip]);
      const limitMs = performance.now() + patiently(5_000);
      while ((await flows()) > 0 && performance.now() < limitMs) await sleep(20);
      assert.equal(await flows(), 0);
      await put(service({ key: "default/next" }), [], []);
    });
  }

  test("connections that no service proxy takes are dropped, and their ports noted", async () => {
    const view = service({ ports: nodePorts });
    await put(view, slicesOf("n2"), [...Object.values(addresses), ...Object.values(proxied)]);
    for (const family of ["ip", "ip6"] as const) {
      for (const [protocol, number] of questions) {
        assert.match((await lan.ask(protocol, proxied[family], number)).join(), /^pod2 /);
        assert.deepEqual(await lan.ask(protocol, addresses[family], number), ["timeout"]);
      }
    }
    const untaken = await dataplane.readUntaken();
    assert.deepEqual(
      untaken.map(({ address, protocol, port: number }) => `${formatAddress(address)} ${protocol} ${number}`).sort(),
      Object.values(addresses)
        .flatMap((address) => questions.map(([protocol, number]) => `${address} ${protocol} ${number}`))
        .sort(),
    );
  });

  test("when all Services are gone the tables can go too", async () => {
    await put(service(), [], []);
    const tables = await lan.nodes[0].sh("nft list tables");
    assert.match(tables, /table ip kube-proxy/);
  });
});
