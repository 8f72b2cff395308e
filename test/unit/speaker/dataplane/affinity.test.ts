import assert from "node:assert/strict";
import { test } from "node:test";
import { BellhopError } from "../../../../src/error/error.ts";
import { endpoint, FakeNode, service, slice, vip, vip6, where } from "./fake-node.ts";
import { local, local6, pods } from "./web-pods.ts";

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

test("a client of a pod in the node's own network is remembered, too", async () => {
  const fakeNode = new FakeNode();
  const own = slice([endpoint("172.30.0.11")]);
  await fakeNode.put(service({ ports: [pods], affinityTimeoutSeconds: 30 }), [own]);
  const outcome = fakeNode.send(vip);
  assert.equal(where(outcome), "local 172.30.0.11 8080");
  assert.equal(outcome.updates.length, 1);
});
