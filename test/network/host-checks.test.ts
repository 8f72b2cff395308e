import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { groupVersion } from "../../src/api/api.ts";
import type { Speaker } from "../../src/api/speaker.ts";
import { keySecretName } from "../../src/heartbeat/key-secret.ts";
import { ownPath, secretPath } from "../../src/kube/path.ts";
import { ApiServer } from "./api-server.ts";
import { Lan } from "./lan.ts";
import { type Namespace, skipReason } from "./namespace.ts";
import { patiently } from "./patience.ts";

const addresses = ["192.0.2.200", "2001:db8::200"] as const;
const namespace = "bellhop-system";
const served = ["pod1 192.0.2.99", "pod1 2001:db8::99"] as const;

/** What is done to the node, what clients then get by IPv4 and IPv6, and what the speaker reports. */
const cases: readonly {
  readonly name: string;
  readonly do: string;
  readonly undo: string;
  readonly reaches: readonly [boolean, boolean];
  readonly reports: string | undefined;
  readonly cannotServe?: readonly string[];
}[] = [
  {
    name: "the interface of the clients does not forward IPv4, although ip_forward is on",
    do: "sysctl -qw net.ipv4.conf.eth0.forwarding=0",
    undo: "sysctl -qw net.ipv4.conf.eth0.forwarding=1",
    reaches: [false, true],
    reports: "Forwarding False ForwardingDisabled",
    cannotServe: ["eth0 IPv4 ForwardingDisabled"],
  },
  {
    name: "IPv6 is not forwarded",
    do: "sysctl -qw net.ipv6.conf.all.forwarding=0",
    undo: "sysctl -qw net.ipv6.conf.all.forwarding=1",
    reaches: [true, false],
    reports: "Forwarding False ForwardingDisabled",
    cannotServe: ["cni0 IPv6 ForwardingDisabled", "eth0 IPv6 ForwardingDisabled"],
  },
  {
    name: "the interface of the clients acts as a host in IPv6, which is not a fault",
    do: "sysctl -qw net.ipv6.conf.eth0.forwarding=0",
    undo: "sysctl -qw net.ipv6.conf.eth0.forwarding=1",
    reaches: [true, true],
    reports: undefined,
  },
  {
    name: "a chain of another program drops what none of its rules accepts",
    do: "nft add table ip filter; nft add chain ip filter FORWARD '{ type filter hook forward priority 0; policy drop; }'",
    undo: "nft delete table ip filter",
    reaches: [false, true],
    reports: "ForwardPolicy Unknown ForwardPolicyDrop",
  },
  {
    name: "a chain of another program accepts by its policy",
    do: "nft add table inet fw; nft add chain inet fw forward '{ type filter hook forward priority 0; policy accept; }'",
    undo: "nft delete table inet fw",
    reaches: [true, true],
    reports: undefined,
  },
];

async function macOf(host: Namespace, name: string): Promise<string> {
  return (await host.sh(`cat /sys/class/net/${name}/address`)).trim();
}

const skip = skipReason();
describe("settings of the node, as its kernel applies them and as the speaker reports them", {
  skip: skip ?? false,
}, () => {
  let lan: Lan;
  let api: ApiServer;
  const ends: (() => void)[] = [];
  before(async () => {
    lan = await Lan.create();
    ends.push(() => lan.destroy());
    const [n1] = lan.nodes;
    await n1.sh("sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.all.arp_ignore=0");
    api = await ApiServer.start(n1);
    ends.unshift(() => api.destroy());
    // It fails for objects that do not exist.
    const object = { apiVersion: groupVersion, kind: "Speaker", metadata: { name: "n1" } };
    await api.post(ownPath("speakers"), object);
    // No controller runs here that would create it.
    const metadata = { name: keySecretName, namespace };
    const key = Buffer.alloc(32).toString("base64");
    await api.post(secretPath(namespace), { metadata, data: { current: key } });
    api.startBellhop("speaker");
    await waitForReport({ faults: [], cannotServe: [] });
  });
  after(() => {
    for (const end of ends) end();
  });

  async function report(): Promise<{ readonly faults: readonly string[]; readonly cannotServe: readonly string[] }> {
    const { status } = await api.get<Pick<Speaker, "status">>(ownPath("speakers", "n1"));
    if (status?.conditions === undefined) return { faults: ["nothing is reported"], cannotServe: [] };
    return {
      faults: status.conditions
        .filter((condition) => condition.status !== "True")
        .map((condition) => `${condition.type} ${condition.status} ${condition.reason}`),
      cannotServe: status.interfaces.flatMap(({ name, cannotServe = [] }) =>
        cannotServe.map(({ family, reason }) => `${name} ${family} ${reason}`),
      ),
    };
  }

  /** Chains are read every 30 s. */
  async function waitForReport(expected: Awaited<ReturnType<typeof report>>): Promise<void> {
    let last = await report();
    for (let attempt = 0; attempt < patiently(90) && JSON.stringify(last) !== JSON.stringify(expected); attempt++) {
      await sleep(500);
      last = await report();
    }
    assert.deepEqual(last, expected);
  }

  for (const one of cases) {
    test(one.name, async () => {
      const [n1] = lan.nodes;
      try {
        await n1.sh(one.do);
        for (const [index, address] of addresses.entries()) {
          const [answer] = await lan.ask("tcp", address, 80);
          assert.equal(answer === served[index], one.reaches[index], `${address}: ${answer}`);
        }
        if (one.reports !== undefined)
          await waitForReport({ faults: [one.reports], cannotServe: one.cannotServe ?? [] });
      } finally {
        await n1.sh(one.undo);
      }
      await waitForReport({ faults: [], cannotServe: [] });
    });
  }

  test("a strict reverse path filter drops what arrives at another interface of the same LAN than that of the route", async () => {
    const [n1] = lan.nodes;
    await lan.addInterface(n1, "p9", "eth1");
    await n1.sh("sysctl -qw net.ipv4.conf.eth1.rp_filter=1; ip addr add 192.0.2.13/24 dev eth1 noprefixroute");
    await n1.sh("ip route add 192.0.2.0/24 dev eth1 metric 500");
    await waitForReport({ faults: [], cannotServe: ["eth1 IPv4 ReversePathFilterStrict"] });
    const mac = (await n1.sh("cat /sys/class/net/eth1/address")).trim();
    await lan.client.sh(`ip neigh replace ${addresses[0]} lladdr ${mac} dev eth0 nud permanent`);
    assert.notEqual((await lan.ask("tcp", addresses[0], 80))[0], served[0]);
    await n1.sh("sysctl -qw net.ipv4.conf.eth1.rp_filter=2");
    await waitForReport({ faults: [], cannotServe: [] });
    assert.deepEqual(await lan.ask("tcp", addresses[0], 80), [served[0]]);
    await lan.client.sh(`ip neigh del ${addresses[0]} dev eth0`);
    await n1.sh("ip link del eth1");
  });

  test("of two interfaces of one LAN, the one that the kernel sends by answers alone, and the other one while that has no carrier", async () => {
    const [n1] = lan.nodes;
    await lan.addInterface(n1, "p8", "eth2");
    await n1.sh("sysctl -qw net.ipv4.conf.eth2.rp_filter=2; ip addr add 192.0.2.14/24 dev eth2 noprefixroute");
    await n1.sh("ip addr add 2001:db8::14/64 dev eth2 nodad noprefixroute");
    await n1.sh("ip route add 192.0.2.0/24 dev eth2 metric 600; ip -6 route add 2001:db8::/64 dev eth2 metric 600");
    const macs = { eth0: await macOf(n1, "eth0"), eth2: await macOf(n1, "eth2") };
    const answering = async (): Promise<readonly string[]> => {
      const heard = await lan.client.try(
        `arping -c 3 -w 2 -i eth0 ${addresses[0]}; ndisc6 -m -r 1 -w 300 ${addresses[1]} eth0`,
      );
      return Object.entries(macs).flatMap(([name, mac]) => (heard.toLowerCase().includes(mac) ? [name] : []));
    };
    const waitUntilAnswers = async (name: string): Promise<void> => {
      let last = await answering();
      for (let attempt = 0; attempt < patiently(20) && last.join() !== name; attempt++) last = await answering();
      assert.deepEqual(last, [name]);
    };
    try {
      await waitForReport({ faults: [], cannotServe: [] });
      await waitUntilAnswers("eth0");
      assert.deepEqual(await lan.ask("tcp", addresses[0], 80), [served[0]]);
      assert.deepEqual(await lan.ask("tcp", addresses[1], 80), [served[1]]);
      await n1.sh("ip link set eth0 down");
      await waitUntilAnswers("eth2");
    } finally {
      await n1.sh("ip link set eth0 up; ip link del eth2");
      await n1.sh("ip addr replace 2001:db8::11/64 dev eth0 nodad");
    }
    await waitUntilAnswers("eth0");
  });

  test("the kernel answers ARP requests for the addresses of a service proxy unless strictARP is set, but no solicitations", async () => {
    const [n1] = lan.nodes;
    const answers = async () =>
      /1 packets received| {2}0% unanswered/.test(await lan.client.try("arping -c 1 -w 1 -i eth0 192.0.2.201"));
    await n1.sh(
      "ip link add kube-ipvs0 type bridge; ip link set kube-ipvs0 up; ip addr add 192.0.2.201/32 dev kube-ipvs0; ip addr add 2001:db8::201/128 dev kube-ipvs0 nodad",
    );
    await waitForReport({ faults: ["StrictArp False ServiceProxyWithoutStrictArp"], cannotServe: [] });
    assert.equal(await answers(), true);
    assert.doesNotMatch(await lan.client.try("ndisc6 -1 -r 1 -w 300 2001:db8::201 eth0"), /Target link-layer/);
    await n1.sh("sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2");
    await waitForReport({ faults: [], cannotServe: [] });
    assert.equal(await answers(), false);
  });
});
