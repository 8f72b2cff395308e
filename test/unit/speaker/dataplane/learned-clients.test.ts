import assert from "node:assert/strict";
import { test } from "node:test";
import { keepClients } from "../../../../speaker/dataplane/affinity-clients.ts";
import type { SeenService } from "../../../../speaker/dataplane/kube-proxy-delay.ts";
import { type NodeFacts, renderService } from "../../../../speaker/dataplane/render.ts";
import { affinityClients, learnedClients } from "../../../../speaker/dataplane/sets.ts";
import { parseAddress } from "../../../../src/ip/address.ts";
import type { EndpointSliceView } from "../../../../src/model/endpoint-slice.ts";
import type { ServiceView } from "../../../../src/model/service.ts";
import { addressData, type Data, portData, protocolData } from "../../../../src/nft/data.ts";
import { endpoint, FakeNode, node, port, service, settings, slice, vip, vip6, where } from "./fake-node.ts";

const families = [
  { family: "ip", address: vip, client: (host: number) => `192.0.2.${host}`, pod: (on: number) => `10.244.${on}.2` },
  { family: "ip6", address: vip6, client: (host: number) => `2001:db8::${host}`, pod: (on: number) => `fd0${on}::2` },
] as const;

/** A pod on each of n1, n2 and n3; those on the nodes of `gone` are not ready. */
function slicesOf(gone: readonly number[] = []): readonly EndpointSliceView[] {
  return families.map(({ family, pod }) => {
    const endpoints = [1, 2, 3].map((on) =>
      endpoint(pod(on), `n${on}`, gone.includes(on) ? { ready: false, serving: false } : {}),
    );
    const ports = (["TCP", "UDP"] as const).map((protocol) => ({ name: protocol, protocol, port: 8080 }));
    return slice(endpoints, { key: `default/web-${family}`, ports });
  });
}

const ports = (["TCP", "UDP"] as const).map((protocol) => port({ name: protocol, protocol }));
const stickyView = service({ ports, affinityTimeoutSeconds: 30 });

/** A node that writes the rules of one Service again and again. kube-proxy sends client 1 to the pod on n1, and so on. */
class StickyNode {
  readonly fake = new FakeNode();
  #seen: SeenService | undefined;
  #nowMs = 0;
  /** After how long the rules must be written again without an event. */
  dueInMs: number | undefined;

  static async create(): Promise<StickyNode> {
    const created = new StickyNode();
    for (const { family, address, client, pod } of families)
      for (const protocol of ["tcp", "udp"] as const)
        for (const on of [1, 2, 3])
          await created.fake.kubeProxy(
            family,
            { address, port: 80, protocol },
            { address: pod(on), port: 8080 },
            client(on),
          );
    return created;
  }

  /** Writes the rules after some time. `passedMs`: by default so long that kube-proxy has everything. */
  async render(
    deadNodes: readonly string[],
    slices = slicesOf(),
    { passedMs = 100_000, delayMs = 60_000, view = stickyView, facts = {} }: Partial<Rendering> = {},
  ): Promise<void> {
    this.#nowMs += passedMs;
    const timing = { before: this.#seen, nowMs: this.#nowMs, delayMs, spreadMs: 0 };
    const addresses = families.flatMap(({ address }) => parseAddress(address) ?? []);
    const all = { ...node, deadNodes: new Set(deadNodes), ...facts };
    const rendered = renderService(view, slices, addresses, all, { timing });
    this.#seen = rendered.seen;
    this.dueInMs = rendered.dueMs === undefined ? undefined : rendered.dueMs - this.#nowMs;
    this.fake.dataplane.setService(view.key, rendered.elements);
    assert.deepEqual((await this.fake.dataplane.apply(settings)).failures, []);
  }

  size(family: "ip" | "ip6", set: string): number | undefined {
    return this.fake.nft.table(family, "bellhop")?.sets.get(set)?.elements.size;
  }
}

interface Rendering {
  readonly passedMs: number;
  readonly delayMs: number;
  readonly view: ServiceView;
  readonly facts: Partial<NodeFacts>;
}

for (const protocol of ["tcp", "udp"] as const) {
  for (const { family, address, client, pod } of families) {
    test(`${family} ${protocol}: clients of living pods stay while a node is dead, and others get a living pod at once`, async () => {
      const sticky = await StickyNode.create();
      const ask = async (host: number) => {
        const outcome = sticky.fake.send(address, { source: client(host), protocol });
        await sticky.fake.remember(outcome);
        return where(outcome);
      };
      const kubeProxy = (on: number) => `forwarded ${pod(on)} 8080`;
      const ours = (on: number) => `forwarded ${pod(on)} 8080 masqueraded`;
      await sticky.render([]);
      await sticky.render([]);
      for (const on of [1, 2, 3]) assert.equal(await ask(on), kubeProxy(on));
      assert.equal(sticky.size(family, "learned_clients"), 3);

      await sticky.render(["n2"]);
      assert.equal(await ask(1), ours(1));
      assert.equal(await ask(3), ours(3));
      const [moved, fresh] = [await ask(2), await ask(4)];
      for (const answer of [moved, fresh]) assert.ok([ours(1), ours(3)].includes(answer), answer);
      const stay = async () => {
        assert.deepEqual([await ask(1), await ask(2), await ask(3), await ask(4)], [ours(1), moved, ours(3), fresh]);
      };
      await stay();
      sticky.fake.dataplane.invalidate();
      await sticky.render(["n2"]);
      await stay();

      await sticky.render(["n2"], slicesOf([2]));
      await stay();
      await sticky.render(["n2"], slicesOf([2]), { passedMs: 60_000 });
      assert.deepEqual([await ask(1), await ask(3)], [kubeProxy(1), kubeProxy(3)], "kube-proxy has noticed");
      assert.equal(sticky.size(family, "affinity_clients"), 0);

      sticky.fake.dataplane.invalidate();
      await sticky.render([]);
      assert.equal(await ask(2), kubeProxy(2), "where kube-proxy sends it now");
      sticky.fake.dataplane.invalidate();
      await sticky.render(["n3"]);
      assert.deepEqual([await ask(1), await ask(2)], [ours(1), ours(2)], "also when the table is replaced by then");
    });
  }
}

test("a node that was cut off for moments takes its clients back at once: kube-proxy never heard of it", async () => {
  for (const { family, address, client, pod } of families) {
    const sticky = await StickyNode.create();
    const ask = (host: number) => where(sticky.fake.send(address, { source: client(host) }));
    await sticky.render([]);
    await sticky.render([]);
    for (const on of [1, 2, 3]) await sticky.fake.remember(sticky.fake.send(address, { source: client(on) }));
    await sticky.render(["n2"]);
    assert.equal(ask(3), `forwarded ${pod(3)} 8080 masqueraded`);
    await sticky.render([], slicesOf(), { passedMs: 3_000 });
    assert.equal(sticky.dueInMs, undefined);
    for (const on of [1, 2, 3]) assert.equal(ask(on), `forwarded ${pod(on)} 8080`);
    assert.equal(sticky.size(family, "learned_clients"), 3);
  }
});

test("the Service changes while kube-proxy may not have a death yet: it is not left to it before", async () => {
  const sticky = await StickyNode.create();
  const ask = () => where(sticky.fake.send(vip, { source: "192.0.2.1" }));
  await sticky.render([]);
  await sticky.render(["n2"]);
  await sticky.render(["n2"], slicesOf([2]));
  const view = service({ ports: ports.map((one) => ({ ...one, nodePort: 30_081 })), affinityTimeoutSeconds: 30 });
  await sticky.render(["n2"], slicesOf([2]), { view, passedMs: 30_000 });
  assert.equal(ask(), "forwarded 10.244.1.2 8080 masqueraded");
  assert.equal(sticky.dueInMs, 30_000);
  await sticky.render(["n2"], slicesOf([2]), { view, passedMs: 30_000 });
  assert.equal(ask(), "forwarded 10.244.1.2 8080");
});

test("a client of which kube-proxy has thought better has the pod of its last connection", async () => {
  for (const { family, address, client, pod } of families)
    for (const last of [1, 3]) {
      const sticky = await StickyNode.create();
      await sticky.render([]);
      await sticky.render([]);
      const elements = [1, 2, 3].map((on) => ({
        key: learnedKey(client(9), address, pod(on)),
        timeoutMs: on === last ? 20_000 : 10_000 - on,
      }));
      const table = { family, name: "bellhop" };
      await sticky.fake.nft.run({
        commands: [{ table, kind: "addElements", set: learnedClients[family], elements }],
      });
      await sticky.render(["n2"]);
      const answer = where(sticky.fake.send(address, { source: client(9) }));
      assert.equal(answer, `forwarded ${pod(last)} 8080 masqueraded`);
      const known = sticky.fake.nft.table(family, "bellhop")?.sets.get("affinity_clients")?.elements ?? new Map();
      assert.deepEqual(
        [...known.values()].map(({ timeoutMs }) => timeoutMs),
        [20_000],
        "for the time that is left",
      );
    }
});

for (const left of [1, 2]) {
  test(`what a late packet left of an earlier death does not count, of ${left === 1 ? "a living" : "the dead"} pod`, async () => {
    for (const { family, address, client, pod } of families) {
      const sticky = await StickyNode.create();
      for (const dead of [[], [], ["n2"], []]) await sticky.render(dead);
      await sticky.fake.remember(sticky.fake.send(address, { source: client(3) }));
      const key = learnedKey(client(3), address, pod(left)).slice(0, -addressOf(pod(left)).length);
      const element = { key, data: `${addressOf(pod(left))}${portData(8080)}\0\0`, timeoutMs: 20_000 };
      const table = { family, name: "bellhop" };
      await sticky.fake.nft.run({
        commands: [{ table, kind: "addElements", set: affinityClients[family], elements: [element] }],
      });
      await sticky.render(["n2"]);
      assert.equal(where(sticky.fake.send(address, { source: client(3) })), `forwarded ${pod(3)} 8080 masqueraded`);
    }
  });
}

test("another time of the Service reads no clients, as long as kube-proxy chooses", async () => {
  const sticky = await StickyNode.create();
  await sticky.render([]);
  await sticky.render([]);
  const { nft } = sticky.fake;
  const read = nft.readElements.bind(nft);
  let readings = 0;
  nft.readElements = (...args) => {
    readings += 1;
    return read(...args);
  };
  await sticky.render([], slicesOf(), { view: { ...stickyView, affinityTimeoutSeconds: 60 } });
  assert.equal(readings, 0);
  await sticky.render(["n2"], slicesOf(), { view: { ...stickyView, affinityTimeoutSeconds: 60 } });
  assert.equal(readings, 4, "two sets of each family");
});

test("what was chosen before the time of the Service was shortened is older than what was chosen since", async () => {
  const sticky = await StickyNode.create();
  await sticky.render([]);
  await sticky.render([]);
  const elements = [
    { key: learnedKey("192.0.2.9", vip, "10.244.1.2"), timeoutMs: 3_600_000 },
    { key: learnedKey("192.0.2.9", vip, "10.244.3.2"), timeoutMs: 20_000 },
    { key: learnedKey("192.0.2.8", vip, "10.244.3.2"), timeoutMs: 3_600_000 },
  ];
  const table = { family: "ip", name: "bellhop" } as const;
  await sticky.fake.nft.run({ commands: [{ table, kind: "addElements", set: learnedClients.ip, elements }] });
  const known = () => [
    ...(sticky.fake.nft.table("ip", "bellhop")?.sets.get("affinity_clients")?.elements.values() ?? []),
  ];
  for (const replaced of [false, true]) {
    if (replaced) sticky.fake.dataplane.invalidate();
    await sticky.render(["n2"]);
    for (const client of ["192.0.2.8", "192.0.2.9"])
      assert.equal(where(sticky.fake.send(vip, { source: client })), "forwarded 10.244.3.2 8080 masqueraded");
    assert.deepEqual(new Set(known().map(({ timeoutMs }) => timeoutMs)), new Set([20_000, 30_000]));
    await sticky.render([]);
  }
});

test("no more clients are taken over than the map has room for", () => {
  const [address, pod] = [parseAddress(vip), parseAddress("10.244.1.2")];
  assert.ok(address && pod);
  const key = { address, protocol: "tcp", port: 80, endpoint: { address: pod, port: 8080 } } as const;
  const numbered = (count: number) =>
    Array.from({ length: count }, (_, index) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`);
  const data = `${addressData(pod)}${portData(8080)}\0\0`;
  const all = numbered(65_550).map((client) => ({ key: learnedKey(client, vip, "10.244.1.2") }));
  const clients = all.slice(0, 65_530).map((element) => ({ key: element.key.slice(0, -4), data }));
  const choice = { timeoutSeconds: 30, chosenBy: "us" } as const;
  const elements = [
    { family: "ip", set: "affinity_services", key, value: choice },
    { family: "ip", set: "affinity_endpoints", key },
  ] as const;
  const [, command] = keepClients("ip", { clients, learned: all.slice(-20) }, () => true, elements);
  assert.ok(command?.kind === "addElements" && command.set === affinityClients.ip);
  assert.equal(command.elements.length, 65_536);
});

function learnedKey(client: string, address: string, pod: string): Data {
  const service = `${addressOf(address)}${protocolData("tcp")}\0\0\0${portData(80)}\0\0`;
  return `${addressOf(client)}${service}${addressOf(pod)}`;
}

function addressOf(text: string): Data {
  const parsed = parseAddress(text);
  assert.ok(parsed);
  return addressData(parsed);
}

test("choices of kube-proxy are learned from new connections of the LAN that it has translated, for the time of the Service", async () => {
  const sticky = await StickyNode.create();
  await sticky.render([]);
  const updatesOf = (...args: Parameters<FakeNode["send"]>) => sticky.fake.send(...args).updates;
  for (const { address, client } of families) {
    const source = client(1);
    assert.equal(updatesOf(address, { source }).length, 1);
    assert.deepEqual(updatesOf(address, { source, from: "cni0" }), []);
    assert.deepEqual(updatesOf(address, { source, state: "established", syn: false }), []);
    const untaken = updatesOf(address, { source: client(4) }).map(({ set }) => set.name);
    assert.deepEqual(untaken, ["untaken_services"], "a service proxy that does not take it has chosen nothing");
  }
  const [update] = sticky.fake.nft.table("ip", "bellhop")?.chains.get("learn_30")?.rules[0]?.slice(-1) ?? [];
  assert.equal(update?.kind === "update" && update.timeoutMs, 30_000);
});

/** Without what is learned, kube-proxy's choice stays the only one. `dead`: where client 2 goes while n2 is dead. */
const unlearned = [
  { words: "without session affinity", rendering: { view: service({ ports }) }, dead: /^forwarded 10\.244\.[13]\.2 / },
  {
    words: "under Local, where kube-proxy uses this node's pods alone",
    rendering: { view: { ...stickyView, externalTrafficPolicy: "Local" } },
    dead: /^forwarded 10\.244\.2\.2 8080$/,
  },
  {
    words: "on request",
    rendering: { view: { ...stickyView, annotations: { "bellhop.dev/forwarding": "kube-proxy" } } },
    dead: /^forwarded 10\.244\.2\.2 8080$/,
  },
  { words: "where all is left to kube-proxy", rendering: { delayMs: 0 }, dead: /^forwarded 10\.244\.2\.2 8080$/ },
  {
    words: "where a chain may drop what goes straight to pods",
    rendering: { facts: { mayDropForwarded: true } },
    dead: /^forwarded 10\.244\.2\.2 8080$/,
  },
  {
    words: "where the service proxy hides its choices",
    rendering: { facts: { hiddenChoices: true } },
    dead: /^forwarded 10\.244\.2\.2 8080$/,
  },
] as const;

for (const { words, rendering, dead } of unlearned) {
  test(`nothing is learned ${words}`, async () => {
    const sticky = await StickyNode.create();
    await sticky.render([], undefined, rendering);
    await sticky.render([], undefined, rendering);
    assert.deepEqual(sticky.fake.send(vip, { source: "192.0.2.2" }).updates, []);
    for (const set of ["affinity_addresses", "affinity_services"]) assert.equal(sticky.size("ip", set), 0);
    await sticky.render(["n2"], undefined, rendering);
    assert.match(where(sticky.fake.send(vip, { source: "192.0.2.2" })), dead);
  });
}

test("while it is left to kube-proxy, a port costs one element more for affinity, and its address one, however many endpoints it has", async () => {
  const sticky = await StickyNode.create();
  const many = slice(
    Array.from({ length: 10 }, (_, host) => endpoint(`10.244.1.${host + 2}`, `n${host}`)),
    { ports: [{ name: "TCP", protocol: "TCP", port: 8080 }] },
  );
  const sizes = () => {
    const sets = [...(sticky.fake.nft.table("ip", "bellhop")?.sets ?? [])];
    return Object.fromEntries(
      sets.flatMap(([name, { elements }]) => (elements.size === 0 ? [] : [[name, elements.size]])),
    );
  };
  const view = service({ ports: ports.slice(0, 1), affinityTimeoutSeconds: 30 });
  await sticky.render([], [many], { view });
  const usual = { lan_interfaces: 1, service_addresses: 1, ping_addresses: 1 };
  assert.deepEqual(sizes(), { ...usual, proxied_services: 1, affinity_addresses: 1, affinity_services: 1 });
  await sticky.render(["n2"], [many], { view });
  const straight = { dnat_services: 1, tcp_endpoints: 256, affinity_endpoints: 9, remote_endpoints: 9 };
  assert.deepEqual(sizes(), { ...usual, affinity_addresses: 1, affinity_services: 1, ...straight });
});

test("the sets of clients take the kernel's memory only where a port needs them", async () => {
  const sticky = await StickyNode.create();
  const clientSets = () => {
    const names = sticky.fake.nft.table("ip", "bellhop")?.sets.keys() ?? [];
    return [...names].filter((name) => name.endsWith("_clients")).sort();
  };
  const view = service({ ports });
  await sticky.render([], slicesOf(), { view });
  await sticky.render(["n2"], slicesOf(), { view });
  assert.deepEqual(clientSets(), [], "no Service has session affinity");
  await sticky.render([], slicesOf());
  await sticky.render([], slicesOf());
  assert.deepEqual(clientSets(), ["learned_clients"]);
  await sticky.render(["n2"], slicesOf());
  assert.deepEqual(clientSets(), ["affinity_clients", "learned_clients"]);
  sticky.fake.dataplane.invalidate();
  await sticky.render(["n2"], slicesOf());
  assert.deepEqual(clientSets(), ["affinity_clients"], "nothing was learned");
  await sticky.render([], slicesOf());
  assert.equal(sticky.fake.send(vip, { source: "192.0.2.1" }).updates.length, 1, "kube-proxy chooses again");
});

for (const nodePort of [30_080, 0])
  test(`other Services do not wait until the clients of one with session affinity are read, ${nodePort === 0 ? "without" : "with"} a node port`, async () => {
    const fake = new FakeNode();
    const [sticky, plain] = [
      service({ ports: [port({ nodePort })], affinityTimeoutSeconds: 30 }),
      service({ key: "default/plain" }),
    ];
    const both = [slice([endpoint("10.244.1.2"), endpoint("10.244.2.2", "n2")])];
    const plainVip = "192.0.2.201";
    const write = async (deadNodes: readonly string[]) => {
      const timing = { before: undefined, nowMs: 0, delayMs: 60_000, spreadMs: -60_000 };
      const facts = { ...node, deadNodes: new Set(deadNodes) };
      for (const [view, text] of [
        [sticky, vip],
        [plain, plainVip],
      ] as const) {
        const addresses = [parseAddress(text)].flatMap((address) => address ?? []);
        fake.dataplane.setService(view.key, renderService(view, both, addresses, facts, { timing }).elements);
      }
      return (await fake.dataplane.apply(settings)).failures;
    };
    for (const address of [vip, plainVip])
      await fake.kubeProxy("ip", { address }, { address: "10.244.2.2", port: 8080 });
    await write([]);
    const { nft } = fake;
    const read = nft.readElements.bind(nft);
    const answers: string[] = [];
    nft.readElements = (...args) => {
      answers.push(where(fake.send(plainVip)));
      return read(...args);
    };
    const straight = "forwarded 10.244.1.2 8080 masqueraded";
    assert.deepEqual(await write(["n2"]), []);
    assert.ok(answers.length > 0);
    assert.deepEqual([...new Set(answers)], [straight]);
    const ofSticky = nodePort === 0 ? "forwarded 10.244.1.2 8080" : straight;
    assert.equal(where(fake.send(vip)), ofSticky);

    await write([]);
    nft.broken = "no answer";
    assert.equal((await write(["n2"])).length, 1);
    nft.broken = undefined;
    await fake.retry();
    assert.equal(where(fake.send(vip)), ofSticky, "nothing is lost by a failure");
    assert.equal(where(fake.send(plainVip)), straight);
  });
