import assert from "node:assert/strict";
import { test } from "node:test";
import { inTable } from "../../../../speaker/dataplane/tables.ts";
import { turnMs, turnOf } from "../../../../src/clock/turn.ts";
import { BellhopError } from "../../../../src/error/error.ts";
import { interfaceData } from "../../../../src/nft/data.ts";
import { field } from "../../../../src/nft/expression.ts";
import type { NftSet } from "../../../../src/nft/set.ts";
import type { Statement } from "../../../../src/nft/statement.ts";
import type { NftAction } from "../../../../src/nft/transaction.ts";
import { byNodePort, endpoint, FakeNode, node, port, service, settings, slice, vip, vip6, where } from "./fake-node.ts";

const pods = port({ nodePort: 0 });
const local = slice([endpoint("10.244.1.2")]);
const remote = slice([endpoint("10.244.2.2", "n2")]);
const unready = slice([endpoint("10.244.1.2", "n1", { ready: false, serving: false })]);
const local6 = slice([endpoint("fd01::2")], { key: "default/web-6" });

test("on request a port goes to its node port on this node, kube-proxy takes it from there, and the answer comes from the address", async () => {
  for (const [family, address, nodeAddress, pod] of [
    ["ip", vip, "172.30.0.11", "10.244.2.2"],
    ["ip6", vip6, "fd00::11", "fd01::2"],
  ] as const) {
    const fakeNode = new FakeNode();
    await fakeNode.put(service(byNodePort), [remote, local6]);
    const bare = fakeNode.send(address);
    assert.equal(where(bare), `local ${nodeAddress} 30080`);
    assert.deepEqual([bare.packet.mark, bare.connection.mark], [0, 0], "marks belong to others");
    assert.notEqual(bare.connection.zone, 0);
    await fakeNode.kubeProxy(family, { address: nodeAddress, port: 30080 }, { address: pod, port: 8080 });
    const request = fakeNode.send(address);
    assert.equal(where(request), `forwarded ${pod} 8080`);
    const { saddr, sport } = fakeNode.reply(request).packet;
    assert.deepEqual([saddr, sport], [address, 80]);
  }
});

test("a plain node port connection keeps its own address in the answer", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service(byNodePort), [local]);
  const request = fakeNode.send("172.30.0.11", { port: 30080 });
  assert.equal(request.connection.zone, 0);
  const { saddr, sport } = fakeNode.reply(request).packet;
  assert.deepEqual([saddr, sport], ["172.30.0.11", 30080]);
});

test("in-cluster clients keep kube-proxy's short cut", async () => {
  for (const change of [{}, byNodePort, { ports: [pods] }]) {
    const fakeNode = new FakeNode();
    await fakeNode.put(service(change), [local]);
    assert.equal(where(fakeNode.send(vip, { from: "cni0", source: "10.244.1.9" })), `forwarded ${vip} 80`);
  }
});

test("several addresses, ports and protocols do not get in one another's way", async () => {
  const fakeNode = new FakeNode();
  const dns = service({
    ...byNodePort,
    key: "default/dns",
    ports: [
      port({ name: "udp", protocol: "UDP", port: 53, nodePort: 30053 }),
      port({ name: "tcp", protocol: "TCP", port: 53, nodePort: 30054 }),
    ],
  });
  const dnsSlice = slice([endpoint("10.244.1.3")], {
    ports: [
      { name: "udp", protocol: "UDP", port: 5353 },
      { name: "tcp", protocol: "TCP", port: 5353 },
    ],
  });
  await fakeNode.put(service(byNodePort), [local], ["192.0.2.200"]);
  await fakeNode.put(dns, [dnsSlice], ["192.0.2.201"]);
  await fakeNode.put(
    service({ ...byNodePort, key: "default/shared", ports: [port({ port: 443, nodePort: 30443 })] }),
    [local],
    ["192.0.2.200"],
  );
  const cases = [
    ["192.0.2.200", "tcp", 80, 30080],
    ["192.0.2.200", "tcp", 443, 30443],
    ["192.0.2.201", "udp", 53, 30053],
    ["192.0.2.201", "tcp", 53, 30054],
  ] as const;
  for (const [address, protocol, number, nodePort] of cases) {
    const request = fakeNode.send(address, { protocol, port: number });
    assert.equal(where(request), `local 172.30.0.11 ${nodePort}`);
    const { saddr, sport } = fakeNode.reply(request).packet;
    assert.deepEqual([saddr, sport], [address, number]);
  }
  assert.equal(where(fakeNode.send("192.0.2.201", { port: 80 })), "dropped in drop_unhandled");
});

test("a port without node port goes straight to the pods, those of other nodes masqueraded, and kube-proxy is not asked", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.kubeProxy("ip", { address: vip, port: 80 }, { address: "10.9.9.9", port: 1 });
  await fakeNode.put(service({ ports: [pods] }), [slice([endpoint("10.244.1.2"), endpoint("10.244.2.2", "n2")])]);
  const ways = new Set<string>();
  for (let host = 1; host < 20; host++) {
    const send = () => where(fakeNode.send(vip, { source: `192.0.2.${host}` }));
    ways.add(send());
    assert.ok(ways.has(send()), "the same flow goes to the same pod");
  }
  assert.deepEqual([...ways].sort(), ["forwarded 10.244.1.2 8080", "forwarded 10.244.2.2 8080 masqueraded"]);
});

test("every node of a cluster sends a flow to the same pod, also after a rewrite; another cluster does not", async () => {
  const slices = [slice(["2", "3", "4"].map((host) => endpoint(`10.244.1.${host}`)))];
  const wayOf = async (hashSeed: number, name: string, affinityTimeoutSeconds: number | undefined) => {
    const fakeNode = new FakeNode({ ...node, name, hashSeed });
    await fakeNode.put(service({ ports: [pods], affinityTimeoutSeconds }), slices);
    const ways = () =>
      Array.from({ length: 50 }, (_, host) => fakeNode.send(vip, { source: `192.0.2.${host}` }).packet.daddr);
    const before = ways();
    fakeNode.dataplane.invalidate();
    await fakeNode.put(service({ key: "default/other" }), [], []);
    assert.deepEqual(ways(), before);
    return before;
  };
  for (const affinity of [undefined, 10_800]) {
    const way = await wayOf(1, "n1", affinity);
    assert.deepEqual(await wayOf(1, "n2", affinity), way);
    assert.notDeepEqual(await wayOf(2, "n1", affinity), way);
  }
});

test("with affinity, a pod that comes takes only its share of the clients, and one that goes loses only its own", async () => {
  const fakeNode = new FakeNode();
  const view = service({ ports: [pods], affinityTimeoutSeconds: 10_800 });
  const podsOf = async (...hosts: readonly number[]) => {
    await fakeNode.put(view, [slice(hosts.map((host) => endpoint(`10.244.1.${host}`)))]);
    return Array.from({ length: 200 }, (_, host) => fakeNode.send(vip, { source: `192.0.2.${host}` }).packet.daddr);
  };
  const three = await podsOf(2, 3, 4);
  const four = await podsOf(2, 3, 4, 5);
  const moved = four.filter((pod, client) => pod !== three[client]);
  assert.ok(moved.length > 20 && moved.length < 90, `${moved.length} of 200`);
  assert.ok(moved.every((pod) => pod === "10.244.1.5"));
  assert.deepEqual(await podsOf(2, 3, 4), three);
});

for (const protocol of ["TCP", "UDP"] as const) {
  test(`${protocol} clients with affinity stay with their pod when another one comes, and choose again when theirs is gone`, async () => {
    const fakeNode = new FakeNode();
    const view = service({ ports: [{ ...pods, protocol }], affinityTimeoutSeconds: 30 });
    const podsAre = (...hosts: readonly number[]) => {
      const one = { ports: [{ name: "", protocol, port: 8080 }] };
      return fakeNode.put(view, [
        slice(
          hosts.map((host) => endpoint(`10.244.1.${host}`)),
          one,
        ),
        slice(
          hosts.map((host) => endpoint(`fd01::${host}`)),
          { ...one, key: "default/web-6" },
        ),
      ]);
    };
    for (const [address, prefix, network] of [
      [vip, "192.0.2.", "10.244.1."],
      [vip6, "2001:db8::", "fd01::"],
    ] as const) {
      const ask = async (host: number) => {
        const outcome = fakeNode.send(address, { source: `${prefix}${host}`, protocol: protocol.toLowerCase() });
        await fakeNode.remember(outcome);
        return outcome.end === "dropped" ? where(outcome) : outcome.packet.daddr;
      };
      const clients = Array.from({ length: 30 }, (_, host) => host + 1);
      const askAll = async () => {
        const answers: string[] = [];
        for (const client of clients) answers.push(await ask(client));
        return answers;
      };
      await podsAre(2);
      assert.deepEqual(new Set(await askAll()), new Set([`${network}2`]));
      await podsAre(2, 3, 4);
      assert.deepEqual(new Set(await askAll()), new Set([`${network}2`]), "they stay");
      // The packet of one client is under way while the pod goes.
      const under = Array.from({ length: 100 }, (_, host) => host + 100).map((host) => ({
        host,
        outcome: fakeNode.send(address, { source: `${prefix}${host}`, protocol: protocol.toLowerCase() }),
      }));
      const late = under.find(({ outcome }) => outcome.packet.daddr === `${network}2`);
      assert.ok(late);
      await podsAre(3, 4);
      const after = await askAll();
      assert.deepEqual([...new Set(after)].sort(), [`${network}3`, `${network}4`], "no packet is lost");
      await fakeNode.remember(late.outcome);
      assert.equal(await ask(late.host), "dropped in affinity_30", "the next packet finds it gone");
      assert.match(await ask(late.host), new RegExp(`^${network}[34]$`));
      await podsAre(2, 3, 4);
      assert.deepEqual(await askAll(), after, "they stay again");
    }
  });
}

test("a table that is replaced keeps the clients with affinity, but for those of pods that are gone", async () => {
  const fakeNode = new FakeNode();
  const podsAre = (...hosts: readonly number[]) =>
    fakeNode.put(service({ ports: [pods], affinityTimeoutSeconds: 30 }), [
      slice(hosts.map((host) => endpoint(`10.244.1.${host}`))),
      slice(
        hosts.map((host) => endpoint(`fd01::${host}`)),
        { key: "default/web-6" },
      ),
    ]);
  const hosts = Array.from({ length: 30 }, (_, host) => host + 1);
  for (const [address, prefix, network] of [
    [vip, "192.0.2.", "10.244.1."],
    [vip6, "2001:db8::", "fd01::"],
  ] as const) {
    const ask = async (host: number) => {
      const outcome = fakeNode.send(address, { source: `${prefix}${host}` });
      await fakeNode.remember(outcome);
      return outcome.end === "dropped" ? where(outcome) : outcome.packet.daddr;
    };
    const askAll = async () => {
      const answers: string[] = [];
      for (const host of hosts) answers.push(await ask(host));
      return answers;
    };
    await podsAre(2);
    await askAll();
    await podsAre(2, 3, 4);
    fakeNode.dataplane.invalidate();
    await podsAre(2, 3, 4);
    assert.deepEqual(new Set(await askAll()), new Set([`${network}2`]), "they stay");
    fakeNode.dataplane.invalidate();
    await podsAre(3, 4);
    assert.deepEqual([...new Set(await askAll())].sort(), [`${network}3`, `${network}4`], "and no packet is lost");
    await fakeNode.put(service(), [], []);
  }
});

test("a table is written although its clients with affinity cannot be read", async () => {
  const fakeNode = new FakeNode();
  fakeNode.nft.readElements = () => Promise.reject(new BellhopError("NftFailed", "lost"));
  await fakeNode.put(service({ ports: [pods], affinityTimeoutSeconds: 30 }), [local]);
  assert.equal(where(fakeNode.send(vip)), "forwarded 10.244.1.2 8080");
});

test("clients are remembered for the time of the Service, by new connections from the LAN, and only with affinity", async () => {
  const fakeNode = new FakeNode();
  const slices = [local, local6];
  const updatesOf = (...args: Parameters<FakeNode["send"]>) => fakeNode.send(...args).updates;
  await fakeNode.put(service({ ports: [pods] }), slices);
  assert.deepEqual(updatesOf(vip), []);
  for (const affinityTimeoutSeconds of [10, 86_400]) {
    await fakeNode.put(service({ ports: [pods], affinityTimeoutSeconds }), slices);
    for (const address of [vip, vip6]) assert.equal(updatesOf(address).length, 1);
    assert.deepEqual(updatesOf(vip, { from: "cni0" }), []);
    assert.deepEqual(updatesOf(vip, { syn: false }), []);
    const chain = fakeNode.nft.table("ip", "bellhop")?.chains.get(`affinity_${affinityTimeoutSeconds}`);
    const [update] = chain?.rules[0]?.filter(({ kind }) => kind === "update") ?? [];
    assert.equal(update?.kind === "update" && update.timeoutMs, affinityTimeoutSeconds * 1000);
  }
});

test("a packet of a TCP connection that the node does not know is answered by a reset, and makes no connection", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service({ ports: [pods] }), [local, local6]);
  for (const address of [vip, vip6]) {
    const outcome = fakeNode.send(address, { syn: false });
    assert.equal(where(outcome), "refused by reset in pick_flow_1");
    assert.equal(outcome.connection.translated, false);
  }
});

test("a pod of this node that is on the LAN itself is reached behind the node's address, so that it answers through the node", async () => {
  for (const [address, onLan, behind] of [
    [vip, "192.0.2.50", "10.244.1.2"],
    [vip6, "2001:db8::50", "fd01::2"],
  ] as const) {
    for (const externalTrafficPolicy of ["Cluster", "Local"] as const) {
      const fakeNode = new FakeNode();
      const view = service({ ports: [pods], externalTrafficPolicy });
      await fakeNode.put(view, [slice([endpoint(onLan)])]);
      assert.equal(where(fakeNode.send(address)), `forwarded ${onLan} 8080 masqueraded`);
      await fakeNode.put(view, [slice([endpoint(behind)])]);
      assert.equal(where(fakeNode.send(address)), `forwarded ${behind} 8080`);
    }
  }
});

for (const [family, address, nodeAddress, protocol, icmpType] of [
  ["IPv4", vip, "172.30.0.11", "icmp", 8],
  ["IPv6", vip6, "fd00::11", "icmpv6", 128],
] as const) {
  test(`${family}: the node answers ping for the address, to clients on the LAN, and only if it is allowed to`, async () => {
    const ping = { protocol, icmpType };
    const fakeNode = new FakeNode();
    await fakeNode.put(service(), [local, local6]);
    const outcome = fakeNode.send(address, ping);
    assert.deepEqual([outcome.end, outcome.packet.daddr], ["local", nodeAddress]);
    assert.equal(fakeNode.send(address, { ...ping, from: "cni0" }).connection.translated, false);
    assert.equal(where(fakeNode.send(address, { protocol, icmpType: icmpType + 5 })), "dropped in drop_unhandled");
    const silent = new FakeNode({ ...node, answersPing: false });
    await silent.put(service(), [local, local6]);
    assert.equal(where(silent.send(address, ping)), "dropped in drop_unhandled");
  });

  test(`${family}: what else the node serves is not reached by an address that an interface of it has`, async () => {
    const fakeNode = new FakeNode();
    await fakeNode.put(service({ ports: [pods] }), [local, local6]);
    const onNode = [address];
    assert.equal(where(fakeNode.send(address, { port: 22, onNode })), "dropped in drop_on_node");
    assert.match(where(fakeNode.send(address, { onNode })), /^forwarded (10\.244\.1\.2|fd01::2) 8080$/);
    assert.equal(where(fakeNode.send(nodeAddress, { port: 22, onNode })), `local ${nodeAddress} 22`);
  });
}

test("an endpoint without a node is never local", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service({ ports: [pods] }), [slice([{ ...endpoint("10.0.0.7"), nodeName: undefined }])]);
  assert.equal(where(fakeNode.send(vip)), "forwarded 10.0.0.7 8080 masqueraded");
});

test("under externalTrafficPolicy Local only this node's pods are used, on both ways", async () => {
  const fakeNode = new FakeNode();
  const view = service({
    ...byNodePort,
    externalTrafficPolicy: "Local",
    ports: [pods, port({ name: "tls", port: 443, nodePort: 30443 })],
  });
  const both = [
    { name: "", protocol: "TCP", port: 8080 },
    { name: "tls", protocol: "TCP", port: 8443 },
  ] as const;
  await fakeNode.put(view, [slice([endpoint("10.244.1.2"), endpoint("10.244.2.2", "n2")], { ports: both })]);
  assert.equal(where(fakeNode.send(vip)), "forwarded 10.244.1.2 8080");
  assert.equal(where(fakeNode.send(vip, { port: 443 })), "local 172.30.0.11 30443");
  await fakeNode.put(view, [slice([endpoint("10.244.2.2", "n2")], { ports: both })]);
  await fakeNode.kubeProxy("ip", { address: vip }, { address: "10.9.9.9" });
  assert.equal(where(fakeNode.send(vip)), "forwarded 10.9.9.9 80");
  // At the node port, too, kube-proxy drops new connections and continues those that it knows.
  assert.equal(where(fakeNode.send(vip, { port: 443 })), "local 172.30.0.11 30443");
});

test("session affinity sends a client to the same pod every time", async () => {
  const fakeNode = new FakeNode();
  const many = slice(["2", "3", "4"].map((host) => endpoint(`10.244.1.${host}`)));
  await fakeNode.put(service({ ports: [pods], affinityTimeoutSeconds: 10_800 }), [many]);
  const client = (host: number, random: number) =>
    where(fakeNode.send(vip, { source: `192.0.2.${host}`, random: () => random }));
  const chosen = new Set<string>();
  for (let host = 1; host < 20; host++) {
    assert.equal(client(host, 0), client(host, 0.9));
    chosen.add(client(host, 0));
  }
  assert.equal(chosen.size, 3);
});

test("source ranges hold on every way, for every client, and per family", async () => {
  for (const change of [{}, byNodePort, { ports: [pods] }]) {
    const fakeNode = new FakeNode();
    await fakeNode.kubeProxy("ip", { address: vip }, { address: "10.9.9.9" });
    await fakeNode.kubeProxy("ip6", { address: vip6 }, { address: "fd09::9" });
    const view = service({ ...change, sourceRanges: ["192.0.2.0/25", "192.0.2.64/26", "198.51.100.7/32"] });
    await fakeNode.put(view, [local, local6]);
    assert.notEqual(fakeNode.send(vip, { source: "192.0.2.99" }).end, "dropped");
    assert.notEqual(fakeNode.send(vip, { source: "198.51.100.7" }).end, "dropped");
    assert.equal(where(fakeNode.send(vip, { source: "192.0.2.128" })), "dropped in check_source_ranges");
    assert.equal(where(fakeNode.send(vip, { source: "10.244.1.9", from: "cni0" })), "dropped in check_source_ranges");
    assert.notEqual(fakeNode.send(vip6).end, "dropped", "a family without a range is open");
    const open = fakeNode.send(vip, { source: "192.0.2.128", state: "established" });
    assert.notEqual(where(open), "dropped in check_source_ranges", "open connections continue");
  }
});

test("source ranges of a rewritten port do not hold for the plain node port", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service({ ...byNodePort, sourceRanges: ["192.0.2.0/25"] }), [local]);
  assert.equal(where(fakeNode.send(vip, { source: "192.0.2.128" })), "dropped in check_source_ranges");
  const plain = fakeNode.send("172.30.0.11", { source: "192.0.2.128", port: 30080 });
  assert.equal(where(plain), "local 172.30.0.11 30080");
});

test("source ranges that cannot be read close the family that they look like", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service({ ports: [pods], sourceRanges: ["192.0.2.0/33"] }), [local, local6]);
  assert.equal(where(fakeNode.send(vip)), "dropped in check_source_ranges");
  assert.notEqual(fakeNode.send(vip6).end, "dropped");
  await fakeNode.put(service({ ports: [pods], sourceRanges: ["everyone", "0.0.0.0/0"] }), [local, local6]);
  assert.notEqual(fakeNode.send(vip).end, "dropped");
  assert.equal(where(fakeNode.send(vip6)), "dropped in check_source_ranges");
});

test("the annotation chooses the way", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.kubeProxy("ip", { address: vip }, { address: "10.9.9.9" });
  const refused = "refused by reset in reject_no_endpoints";
  for (const [value, end, withoutEndpoints] of [
    ["pods", "forwarded 10.244.1.2 8080", refused],
    ["nodeport", "local 172.30.0.11 30080", refused],
    ["kube-proxy", "forwarded 10.9.9.9 80", "forwarded 10.9.9.9 80"],
    ["magic", "forwarded 10.9.9.9 80", refused],
  ] as const) {
    const view = service({ annotations: { "bellhop.dev/forwarding": value } });
    await fakeNode.put(view, [local]);
    assert.equal(where(fakeNode.send(vip)), end, value);
    await fakeNode.put(view, [unready]);
    assert.equal(where(fakeNode.send(vip)), withoutEndpoints, value);
  }
});

test("SCTP is left to kube-proxy", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.kubeProxy("ip", { address: vip }, { address: "10.9.9.9" });
  const served = slice([endpoint("10.244.1.2")], { ports: [{ name: "", protocol: "SCTP", port: 8080 }] });
  for (const slices of [[served], []]) {
    await fakeNode.put(service({ ports: [port({ protocol: "SCTP" })] }), slices);
    assert.equal(where(fakeNode.send(vip, { protocol: "sctp" })), "forwarded 10.9.9.9 80");
  }
});

test("a second address of a family goes to the pods, because a node port leads back to one", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service(byNodePort), [local], ["192.0.2.200", "192.0.2.201"]);
  assert.equal(where(fakeNode.send("192.0.2.200")), "local 172.30.0.11 30080");
  assert.equal(where(fakeNode.send("192.0.2.201")), "forwarded 10.244.1.2 8080");
});

test("a Service that is gone leaves nothing", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service({ sourceRanges: ["10.0.0.0/8"] }), [local, local6]);
  fakeNode.dataplane.setService("default/web", []);
  await fakeNode.dataplane.apply(settings);
  for (const family of ["ip", "ip6"] as const) {
    const filled = [...(fakeNode.nft.table(family, "bellhop")?.sets ?? [])].filter(([, set]) => set.elements.size > 0);
    assert.deepEqual(
      filled.map(([name]) => name),
      ["lan_interfaces"],
    );
  }
});

test("a change writes the change alone", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service({ ports: [pods] }), [local], [vip]);
  const before = fakeNode.nft.accepted.length;
  await fakeNode.put(service({ key: "default/b", ports: [port({ port: 81, nodePort: 0 })] }), [local], ["192.0.2.201"]);
  const [transaction] = fakeNode.nft.accepted.slice(before);
  assert.deepEqual(
    transaction?.commands.map((command) => command.kind),
    ["addElements", "addElements", "addElements", "addElements"],
  );
  assert.equal(fakeNode.nft.accepted.length, before + 1);
});

test("after a write of unknown outcome the whole table is written, with what came in between", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service(byNodePort), [local], [vip]);
  fakeNode.nft.outcomeUnknown = true;
  const { failures } = await fakeNode.put(service({ ...byNodePort, key: "default/b" }), [local], ["192.0.2.201"]);
  assert.deepEqual(
    failures.map(({ family, error }) => `${family} ${error.code}`),
    ["IPv4 NftFailed"],
  );
  assert.equal(fakeNode.isApplied(vip), false);
  fakeNode.nft.outcomeUnknown = false;
  await fakeNode.put(service({ ...byNodePort, key: "default/c" }), [local], ["192.0.2.202"]);
  assert.equal(fakeNode.isApplied(vip), false, "not before the wait is over");
  await fakeNode.retry();
  assert.equal(fakeNode.nft.accepted.at(-1)?.commands[1]?.kind, "deleteTable");
  for (const address of [vip, "192.0.2.201", "192.0.2.202"]) {
    assert.equal(where(fakeNode.send(address)), "local 172.30.0.11 30080");
    assert.equal(fakeNode.isApplied(address), true);
  }
});

test("a family without addresses has no table", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service(), [local], [vip]);
  assert.equal(fakeNode.nft.table("ip6", "bellhop"), undefined);
  await fakeNode.put(service(byNodePort), [local, local6]);
  assert.equal(where(fakeNode.send(vip6)), "local fd00::11 30080");
});

test("of the table that an earlier version wrote no set, chain or element survives the first write", async () => {
  const fresh = new FakeNode();
  await fresh.put(service(), [local], [vip]);
  const upgraded = new FakeNode();
  for (const family of ["ip", "ip6"] as const) {
    const lan: NftSet = { name: "lan", key: ["ifname"] };
    const fromLan: Statement = { kind: "lookup", key: [field("iifname")], operator: "in", set: lan };
    const actions: readonly NftAction[] = [
      { kind: "addTable" },
      { kind: "addSet", set: lan },
      { kind: "addElements", set: lan, elements: [{ key: interfaceData("eth0") }] },
      { kind: "addSet", set: { name: "node_ports", key: ["ifname"], data: ["inet_service"] } },
      { kind: "addChain", chain: "stray", base: { type: "filter", hook: "forward", priority: 10 } },
      { kind: "addRule", chain: "stray", rule: [fromLan, { kind: "verdict", verdict: { kind: "drop" } }] },
    ];
    await upgraded.nft.run({ commands: inTable(family, actions) });
  }
  await upgraded.put(service(), [local], [vip]);
  assert.deepEqual(upgraded.nft.table("ip", "bellhop"), fresh.nft.table("ip", "bellhop"));
  assert.equal(upgraded.nft.table("ip6", "bellhop"), undefined, "a family without addresses");
});

test("a new address of the node rewrites the table", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service(byNodePort), [local], [vip]);
  await fakeNode.dataplane.apply({ ...settings, nodeAddresses: { IPv4: "172.30.0.12", IPv6: undefined } });
  assert.equal(where(fakeNode.send(vip)), "forwarded 172.30.0.12 30080");
});

const udpPods = port({ protocol: "UDP", port: 53, nodePort: 0 });
const udpSlice = (...hosts: readonly number[]) =>
  slice(
    hosts.map((host) => endpoint(`10.244.1.${host}`)),
    { ports: [{ name: "", protocol: "UDP", port: 5353 }] },
  );
const flow = (destinationPort: number, replySource: string, replySourcePort = 5353, destination = vip) => ({
  destination,
  destinationPort,
  replySource,
  replySourcePort,
});

test("UDP flows that were there before the rules, or whose pod is gone, are deleted, and no others", async () => {
  const fakeNode = new FakeNode();
  const kept = [flow(53, "10.244.1.3"), flow(53, "10.1.1.1", 53, "192.0.2.77")];
  fakeNode.conntrack.flows = [...kept, flow(53, vip, 53), flow(54, "10.244.1.9")];
  await fakeNode.put(service({ ports: [udpPods] }), [udpSlice(2, 3)], [vip]);
  assert.deepEqual(fakeNode.conntrack.flows, kept);
  fakeNode.conntrack.flows.push(flow(53, "10.244.1.2"));
  await fakeNode.put(service({ ports: [udpPods] }), [udpSlice(3, 4)], [vip]);
  assert.deepEqual(fakeNode.conntrack.flows, kept);
  fakeNode.dataplane.setService("default/web", []);
  await fakeNode.dataplane.apply(settings);
  assert.deepEqual(fakeNode.conntrack.flows, kept.slice(1));
});

test("UDP flows to a Service that is deleted with the last one of ipMode Proxy, for which the table is replaced, are deleted", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service({ ports: [udpPods] }), [udpSlice(2)], [vip]);
  const other = { key: "default/other", ingress: [{ ip: "192.0.2.201", ipMode: "Proxy", ports: [] }], ports: [port()] };
  await fakeNode.put(service({ ...byNodePort, ...other }), [slice([endpoint("10.244.1.5")])], ["192.0.2.201"]);
  await fakeNode.put(service({ key: "default/third" }), [slice([endpoint("10.244.1.6")])], ["192.0.2.202"]);
  const kept = [flow(53, "10.244.1.2", 5353, "192.0.2.77")];
  fakeNode.conntrack.flows = [...kept, flow(53, "10.244.1.2")];
  fakeNode.dataplane.setService("default/web", []);
  fakeNode.dataplane.setService("default/other", []);
  await fakeNode.dataplane.apply(settings);
  assert.deepEqual(fakeNode.conntrack.flows, kept);
});

test("UDP flows to a node port that ended at the node itself are deleted, and kube-proxy's are left to it", async () => {
  const fakeNode = new FakeNode();
  const kept = [flow(30053, "10.244.9.9", 5353, "172.30.0.11")];
  fakeNode.conntrack.flows = [...kept, flow(30053, "172.30.0.11", 30053, "172.30.0.11")];
  await fakeNode.put(service({ ...byNodePort, ports: [{ ...udpPods, nodePort: 30053 }] }), [udpSlice(2)], [vip]);
  assert.deepEqual(fakeNode.conntrack.flows, kept);
});

test("UDP flows that kube-proxy translates are left to it, and those that it did not know are deleted", async () => {
  const fakeNode = new FakeNode();
  const kept = [flow(53, "10.244.9.9")];
  fakeNode.conntrack.flows = [...kept, flow(53, vip, 53)];
  await fakeNode.put(service({ ports: [{ ...udpPods, nodePort: 30053 }] }), [udpSlice(2)], [vip]);
  assert.deepEqual(fakeNode.conntrack.flows, kept);
});

test("UDP flows that begin after their Service is gone, because kube-proxy is late, are deleted later", async () => {
  for (const nodePort of [0, 30053]) {
    const fakeNode = new FakeNode();
    await fakeNode.put(service({ ports: [{ ...udpPods, nodePort }] }), [udpSlice(2)], [vip]);
    await fakeNode.clock.advance(120_000);
    fakeNode.dataplane.setService("default/web", []);
    await fakeNode.dataplane.apply(settings);
    for (const waitMs of [5_000, 55_000]) {
      fakeNode.conntrack.flows = [flow(53, "10.244.1.2")];
      await fakeNode.clock.advance(waitMs);
      assert.deepEqual(fakeNode.conntrack.flows, []);
    }
  }
});

test("UDP flows to a port that is gone are deleted, also those that begin while kube-proxy is late", async () => {
  const fakeNode = new FakeNode();
  const other = { ...udpPods, name: "other", port: 54, nodePort: 30054 };
  await fakeNode.put(service({ ports: [other, { ...udpPods, nodePort: 30053 }] }), [udpSlice(2)], [vip]);
  fakeNode.conntrack.flows = [flow(53, "10.244.1.2"), flow(54, "10.244.1.2")];
  await fakeNode.put(service({ ports: [other] }), [udpSlice(2)], [vip]);
  assert.deepEqual(fakeNode.conntrack.flows, [flow(54, "10.244.1.2")]);
  fakeNode.conntrack.flows.push(flow(53, "10.244.1.2"));
  await fakeNode.clock.advance(5_000);
  assert.deepEqual(fakeNode.conntrack.flows, [flow(54, "10.244.1.2")]);
});

test("UDP flows to the pods of the Service that had the address before do not reach them through the next one", async () => {
  const fakeNode = new FakeNode();
  fakeNode.conntrack.flows = [flow(53, "10.244.7.7"), flow(53, "10.244.7.7", 5353, "192.0.2.201")];
  await fakeNode.put(service({ key: "default/next" }), [local], [vip]);
  assert.deepEqual(fakeNode.conntrack.flows, [flow(53, "10.244.7.7", 5353, "192.0.2.201")]);
});

test("on a shared address the UDP ports of each Service are served", async () => {
  const fakeNode = new FakeNode();
  fakeNode.conntrack.flows = [flow(53, "10.244.1.2"), flow(54, "10.244.1.2")];
  const kept = [...fakeNode.conntrack.flows];
  await fakeNode.put(service({ ports: [udpPods] }), [udpSlice(2)], [vip]);
  fakeNode.conntrack.flows = [...kept];
  await fakeNode.put(service({ key: "default/b", ports: [{ ...udpPods, port: 54 }] }), [udpSlice(2)], [vip]);
  await fakeNode.clock.advance(60_000);
  assert.deepEqual(fakeNode.conntrack.flows, kept);
});

test("for TCP connection tracking is searched only when an address comes or goes", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service(), [local]);
  await fakeNode.clock.advance(60_000);
  const before = fakeNode.conntrack.searches;
  await fakeNode.put(service({ ports: [pods] }), [local, remote]);
  await fakeNode.clock.advance(60_000);
  assert.equal(fakeNode.conntrack.searches, before);
});

test("a write that has kept the event loop for long ends before flows are looked for", async () => {
  const fakeNode = new FakeNode();
  assert.equal(turnOf(fakeNode.clock).over, false);
  fakeNode.clock.stall(turnMs);
  const { newAddresses } = await fakeNode.put(service(), [local], [vip]);
  assert.deepEqual([newAddresses, fakeNode.conntrack.searches], [[vip], 0]);
  await fakeNode.clock.advance(0);
  assert.equal(fakeNode.conntrack.searches, 1);
});

test("a large set has room for as many elements again, and a change that needs more replaces the table", async () => {
  const fakeNode = new FakeNode();
  const put = async (count: number): Promise<string> => {
    const hosts = Array.from({ length: count }, (_, host) => endpoint(`10.244.${host >> 8}.${host & 255}`));
    const { failures } = await fakeNode.put(service({ ports: [port({ nodePort: 0 })] }), [slice(hosts)], [vip]);
    assert.deepEqual(failures, []);
    const endpoints = fakeNode.nft.table("ip", "bellhop")?.sets.get("tcp_endpoints");
    assert.equal(endpoints?.elements.size, count);
    const replaced = fakeNode.nft.accepted
      .splice(0)
      .some(({ commands }) =>
        commands.some(({ kind, table: { family } }) => kind === "deleteTable" && family === "ip"),
      );
    return `${replaced ? "replaced" : "changed"}, size ${endpoints.declaration.size}`;
  };
  assert.equal(await put(999), "replaced, size undefined");
  assert.equal(await put(1_500), "changed, size undefined");
  fakeNode.dataplane.invalidate();
  assert.equal(await put(1_000), "replaced, size 2000");
  assert.equal(await put(1_500), "changed, size 2000");
  assert.equal(await put(2_000), "changed, size 2000");
  assert.equal(await put(1), "changed, size 2000");
  assert.equal(await put(2_000), "changed, size 2000");
  assert.equal(await put(2_001), "replaced, size 4002");
  assert.equal(await put(2_002), "changed, size 4002");
});
