import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ServiceView } from "../../src/model/service.ts";
import { byNodePort, service } from "../unit/speaker/dataplane/fake-node.ts";
import { holdersAfter } from "../unit/speaker/passing-on/known-holders.ts";
import { Lan } from "./lan.ts";
import { addresses, families, LanNode, type NodeNumber, numbers } from "./lan-node.ts";
import { type Namespace, skipReason } from "./namespace.ts";
import { patiently } from "./patience.ts";
import { nodePorts, withoutNodePorts } from "./web-service.ts";
import { type Answers, withTalkingClient } from "./with-talking-client.ts";

const views = {
  "straight to pods": service({ ports: withoutNodePorts(nodePorts) }),
  "by kube-proxy": service({ ports: nodePorts }),
  "by the node port": service({ ...byNodePort, ports: nodePorts }),
};

const skip = skipReason() ?? false;
describe("connections survive moves of their address", { skip }, () => {
  let lan: Lan;
  let nodes: readonly [LanNode, LanNode, LanNode, LanNode];
  let finished = () => {};
  before(async () => {
    lan = await Lan.create({ count: 4, server: "talking-server.ts" });
    const created: LanNode[] = [];
    // Also where a later one cannot be created: this process would wait for the others until its time limit.
    finished = () => {
      for (const node of created) node.stop();
      lan.destroy();
    };
    const create = async (number: NodeNumber) => {
      const node = await LanNode.create(number, lan);
      created.push(node);
      return node;
    };
    nodes = [await create(1), await create(2), await create(3), await create(4)];
  });
  after(() => finished());

  async function start(view: ServiceView, tcpLoose = true): Promise<void> {
    for (const node of nodes) {
      await node.holders();
      await node.put(view, tcpLoose);
      await node.namespace.sh("conntrack -F 2>/dev/null");
    }
  }

  /** The client sends to this node from now on, as after gratuitous frames. */
  async function sendTo(number: NodeNumber): Promise<void> {
    for (const address of Object.values(addresses))
      await lan.client.sh(`ip neigh replace ${address} lladdr ${nodes[number - 1]?.mac} dev eth0 nud permanent`);
  }

  /** The address has moved from node to node, and all have seen it. */
  async function moved(...held: readonly NodeNumber[]): Promise<void> {
    for (const { number } of nodes) await movedFor(number, ...held);
    await sendTo(held.at(-1) ?? 1);
  }

  /** One node has seen it. */
  async function movedFor(number: NodeNumber, ...held: readonly NodeNumber[]): Promise<void> {
    const { current, previous } = holdersAfter(nameOf(number), held.map(nameOf));
    const [now = "self"] = numbersOf([current]);
    await nodes[number - 1]?.holders(now, numbersOf(previous));
  }

  for (const [words, view] of Object.entries(views)) {
    for (const family of families) {
      for (const tcpLoose of [true, false]) {
        test(`${words}, ${family}, nf_conntrack_tcp_loose ${tcpLoose ? 1 : 0}: through moves from node to node and back`, async () => {
          await start(view, tcpLoose);
          await moved(1);
          await withTalkingClient(lan, addresses[family], async (say) => {
            const all: string[] = [];
            const openAt = async (number: NodeNumber) => {
              assert.deepEqual(await say("open 5"), both(Array(5).fill(`pod${number}`)));
              all.push(...Array(5).fill(`pod${number}`));
            };
            await openAt(1);
            await moved(1, 2);
            assert.deepEqual(await say("ask"), both(all), "after one move");
            await openAt(2);
            await moved(1, 2, 3);
            assert.deepEqual(await say("ask"), both(all), "after two moves");
            await openAt(3);
            await moved(1, 2, 3, 1);
            assert.deepEqual(await say("ask"), both(all), "back again");
            await openAt(1);
            await moved(1, 2, 3, 1, 4);
            assert.deepEqual((await say("ask")).tcp, all, "after four moves");
          });
        });
      }
    }
  }

  const steps = {
    "the old node": () => movedFor(2, 1, 2, 3),
    "the new node": () => movedFor(3, 1, 2, 3),
    "the client": () => sendTo(3),
  };
  const names = Object.keys(steps) as readonly (keyof typeof steps)[];
  const orders = names.flatMap((first) =>
    names.flatMap((second) =>
      names.flatMap((third) => (new Set([first, second, third]).size < 3 ? [] : [[first, second, third] as const])),
    ),
  );
  for (const [words, view] of Object.entries(views)) {
    for (const [index, order] of orders.entries()) {
      const family = index % 2 === 0 ? "IPv4" : "IPv6";
      test(`${words}, ${family}: through a move that ${order.join(", then ")} learns of`, async () => {
        await start(view);
        await moved(1);
        await withTalkingClient(lan, addresses[family], async (say) => {
          const all = [...Array(5).fill("pod1"), ...Array(5).fill("pod2")];
          await say("open 5");
          await moved(1, 2);
          await say("open 5");
          assert.deepEqual(await say("ask"), both(all));
          for (const name of order) {
            await steps[name]();
            assert.deepEqual(await say("ask"), both(all), name);
          }
        });
      });
    }
  }

  for (const [words, view] of Object.entries(views)) {
    test(`${words}: open connections continue after another program has flushed all rules, and they were written again`, async () => {
      await start(view);
      await moved(1);
      const [node] = nodes;
      for (const family of families) {
        await withTalkingClient(lan, addresses[family], async (say) => {
          const open = both(Array(5).fill("pod1"));
          assert.deepEqual(await say("open 5"), open);
          // As when kube-proxy is back before our speaker.
          const saved = "for family in ip ip6; do nft list table $family kube-proxy; done";
          await node.namespace.sh(`rules=$(${saved}); nft flush ruleset; echo "$rules" | nft -f -`);
          for (const flushed of families) node.dataplane.foreignChange(flushed);
          await node.apply();
          assert.match(await node.namespace.sh("nft list tables"), /ip bellhop[\s\S]*ip6 bellhop/);
          assert.deepEqual(await say("ask"), open);
        });
      }
    });
  }

  // Below net.ipv4.ip_local_port_range: clients of earlier tests, whose connections may not have ended, had others.
  let nextPort = 20_000;
  for (const [words, view] of Object.entries(views)) {
    for (const family of families) {
      for (const ending of ["reset", "lost"]) {
        test(`${words}, ${family}: an old connection from the same port, ${ending}, does not catch the packets of a new one`, async () => {
          await start(view);
          nextPort += 10;
          const open = `open 3 ${nextPort}`;
          const table = `${family === "IPv4" ? "ip" : "ip6"} silence`;
          const chain = "chain input { type filter hook prerouting priority -350; tcp flags rst drop; }";
          await moved(1);
          await withTalkingClient(lan, addresses[family], async (say) => {
            await say(open);
            // As when the node was cut off: connection tracking keeps the connection for days.
            if (ending === "lost") await nodes[0].namespace.sh(`nft 'table ${table} { ${chain}; }'`);
            await say("reset");
            await moved(1, 2);
            if (ending === "lost") await nodes[0].namespace.sh(`nft delete table ${table}`);
            assert.deepEqual((await say(open)).tcp, Array(3).fill("pod2"));
            await moved(1, 2, 1);
            assert.deepEqual((await say("ask")).tcp, Array(3).fill("pod2"));
          });
        });
      }
    }
  }

  test("the end of a connection reaches the node that knows it", async () => {
    await start(views["by the node port"]);
    await moved(1);
    await withTalkingClient(lan, addresses.IPv4, async (say) => {
      await say("open 1");
      await moved(1, 2);
      await say("end");
    });
    const states = () => nodes[0].namespace.sh("conntrack -L -p tcp 2>/dev/null");
    const limitMs = performance.now() + patiently(5_000);
    while (/ESTABLISHED.*dport=30080/.test(await states()) && performance.now() < limitMs);
    assert.match(await states(), /(?:TIME_WAIT|LAST_ACK|CLOSE).*dport=30080/);
  });

  test("a node without memory resets what it does not know", async () => {
    await start(views["straight to pods"]);
    await moved(1);
    await withTalkingClient(lan, addresses.IPv4, async (say) => {
      await say("open 1");
      await moved(1, 2, 3);
      await nodes[1].holders(3);
      assert.deepEqual((await say("ask")).tcp, ["ECONNRESET"]);
    });
  });

  for (const tcpLoose of [true, false]) {
    test(`what only a dead node knew is reset, nf_conntrack_tcp_loose ${tcpLoose ? 1 : 0}`, async () => {
      await start(views["straight to pods"], tcpLoose);
      await moved(1);
      await withTalkingClient(lan, addresses.IPv4, async (say) => {
        await say("open 1");
        await moved(1, 2);
        nodes[1].dataplane.setDeadNodes(new Set(["n1"]));
        await nodes[1].apply();
        assert.deepEqual((await say("ask")).tcp, ["ECONNRESET"]);
        nodes[1].dataplane.setDeadNodes(new Set());
        await nodes[1].apply();
      });
    });
  }

  test("nodes that send to one another in a ring do not send a packet round for ever", async () => {
    for (const strangers of [false, true]) {
      await start(views["straight to pods"]);
      await moved(1);
      await withTalkingClient(lan, addresses.IPv4, async (say) => {
        await say("open 1");
        await nodes[0].namespace.sh("conntrack -D -p tcp -d 192.0.2.200");
        // Clients of earlier tests send their FINs again for a while: what they send is counted, too.
        const sent = "chain output { type filter hook output priority 0; ip daddr 192.0.2.200 counter; }";
        await lan.client.sh(`nft 'table ip count { ${sent}; }'`);
        for (const [at, to] of [
          [0, 2],
          [1, 3],
          [2, 1],
        ] as const) {
          // Counters begin again.
          nodes[at]?.dataplane.invalidate();
          await nodes[at]?.holders(to, [to], strangers);
        }
        assert.deepEqual((await say("ask")).tcp, ["ECONNRESET"]);
        const counts = async (namespace: Namespace) =>
          [...(await namespace.sh("nft list ruleset ip")).matchAll(/counter packets (\d+)/g)].map(([, n]) => Number(n));
        const passes = (await Promise.all(nodes.map(({ namespace }) => counts(namespace)))).flat();
        const total = passes.reduce((sum, count) => sum + count, 0);
        // What the client sends after the passes were counted only makes this larger.
        const [packets = 0] = await counts(lan.client);
        assert.ok(total > 0 && total <= 5 * packets, `${total} passes of ${packets} packets`);
        await lan.client.sh("nft delete table ip count");
      });
    }
  });
});

function nameOf(number: NodeNumber): string {
  return `n${number}`;
}

function numbersOf(names: readonly (string | undefined)[]): readonly NodeNumber[] {
  return names.flatMap((name) => numbers.find((number) => nameOf(number) === name) ?? []);
}

function both(answers: readonly string[]): Answers {
  return { tcp: answers, udp: answers };
}
