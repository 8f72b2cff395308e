import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { nftKey } from "../../../../speaker/dataplane/element.ts";
import { findRefused } from "../../../../speaker/dataplane/find-refused.ts";
import { parseAddress } from "../../../../src/ip/address.ts";
import type { ServiceView } from "../../../../src/model/service.ts";
import { addressData } from "../../../../src/nft/data.ts";
import type { FakeNft } from "../../../../src/nft/fake-nft.ts";
import { byNodePort, endpoint, FakeNode, service as plainService, port, settings, slice, where } from "./fake-node.ts";

/** With elements in many maps. */
const service = (change: Partial<ServiceView> = {}) => plainService({ ...byNodePort, ...change });

const local = slice([endpoint("10.244.1.2")]);
const pods = port({ nodePort: 0 });

function bytesOf(text: string): string {
  const address = parseAddress(text);
  assert.ok(address !== undefined);
  return addressData(address);
}

function elementKey(text: string, protocol: "tcp" | "udp", number: number): string {
  const address = parseAddress(text);
  assert.ok(address !== undefined);
  return nftKey({ family: "ip", set: "node_ports", key: { address, protocol, port: number } }).key;
}

/** The kernel refuses every element with one of these addresses in its key. */
function refuse(nft: FakeNft, how: "named" | "unnamed", ...addresses: readonly string[]): void {
  const bytes = addresses.map(bytesOf);
  nft.refusal = (_, { key }) => (bytes.some((one) => key.startsWith(one)) ? how : undefined);
}

const refusedOf = (fakeNode: FakeNode) => [...fakeNode.dataplane.refusedServices].sort();

describe("rules that the kernel refuses", () => {
  for (const how of ["named", "unnamed"] as const) {
    test(`of a new Service keep no other one from being written, the fault is ${how}`, async () => {
      const fakeNode = new FakeNode();
      await fakeNode.put(service(), [local], ["192.0.2.200"]);
      refuse(fakeNode.nft, how, "192.0.2.66");
      const { failures, refusalsChanged, newAddresses } = await fakeNode.put(
        service({ key: "default/poison" }),
        [local],
        ["192.0.2.66"],
      );
      assert.deepEqual([failures, refusalsChanged, newAddresses], [[], ["default/poison"], []]);
      assert.deepEqual(fakeNode.dataplane.refusalOf("default/poison"), {
        family: "IPv4",
        reason: "EINVAL in service_addresses",
      });
      assert.deepEqual([fakeNode.isApplied("192.0.2.200"), fakeNode.isApplied("192.0.2.66")], [true, false]);
      const after = await fakeNode.put(service({ key: "default/third" }), [local], ["192.0.2.202"]);
      assert.deepEqual(after, { failures: [], refusalsChanged: [], newAddresses: ["192.0.2.202"] });
      assert.equal(where(fakeNode.send("192.0.2.202")), "local 172.30.0.11 30080");
    });

    test(`in the first write keep no Service from being written, the fault is ${how}`, async () => {
      const fakeNode = new FakeNode();
      fakeNode.nft.broken = "later";
      for (let host = 1; host <= 40; host++)
        await fakeNode.put(service({ key: `default/s${host}` }), [local], [`192.0.2.${host}`]);
      fakeNode.nft.broken = undefined;
      refuse(fakeNode.nft, how, "192.0.2.7", "192.0.2.23", "192.0.2.24");
      const { failures, newAddresses } = await fakeNode.retry();
      assert.deepEqual(failures, []);
      assert.equal(newAddresses.length, 37);
      assert.deepEqual(refusedOf(fakeNode), ["default/s23", "default/s24", "default/s7"]);
    });
  }

  test("name the port, where the kernel names an element of one", async () => {
    const fakeNode = new FakeNode();
    const ports = [
      port({ name: "http", port: 80, nodePort: 30080 }),
      port({ name: "dns", protocol: "UDP", port: 53, nodePort: 30053 }),
    ];
    for (const { protocol, port: number } of ports) {
      const refused = elementKey("192.0.2.66", protocol === "TCP" ? "tcp" : "udp", number);
      fakeNode.nft.refusal = ({ name }, { key }) => (name === "node_ports" && key === refused ? "named" : undefined);
      await fakeNode.put(service({ key: `default/poison-${number}`, ports }), [local], ["192.0.2.66"]);
      assert.deepEqual(fakeNode.dataplane.refusalOf(`default/poison-${number}`), {
        family: "IPv4",
        reason: `EINVAL in node_ports, of port ${number}/${protocol}`,
      });
      await fakeNode.put(service({ key: `default/poison-${number}`, ports }), [local], []);
    }
  });

  test("the rules that the Service had before stay, also when the table is replaced", async () => {
    const fakeNode = new FakeNode();
    await fakeNode.put(service({ ports: [pods] }), [local], ["192.0.2.200"]);
    fakeNode.nft.refusal = ({ name }, { key }) =>
      name === "tcp_endpoints" && key.endsWith("\u0001\0\0\0") ? "named" : undefined;
    await fakeNode.put(
      service({ ports: [pods] }),
      [slice([endpoint("10.244.1.2"), endpoint("10.244.1.3")])],
      ["192.0.2.200"],
    );
    assert.deepEqual(refusedOf(fakeNode), ["default/web"]);
    for (const replace of [false, true]) {
      if (replace) fakeNode.dataplane.invalidate();
      await fakeNode.retry();
      assert.equal(where(fakeNode.send("192.0.2.200", { random: () => 0.9 })), "forwarded 10.244.1.2 8080");
      assert.equal(fakeNode.isApplied("192.0.2.200"), true);
    }
  });

  test("are tried again with growing waits, at once when they change, and not when they do not", async () => {
    const fakeNode = new FakeNode();
    await fakeNode.put(service(), [local], ["192.0.2.200"]);
    let refusals = 0;
    const poison = bytesOf("192.0.2.66");
    fakeNode.nft.refusal = ({ name }, { key }) => {
      if (name !== "service_addresses" || key !== poison) return undefined;
      refusals += 1;
      return "named";
    };
    const put = (number: number) =>
      fakeNode.put(service({ key: "default/poison", ports: [port({ port: number })] }), [local], ["192.0.2.66"]);
    await put(80);
    const first = refusals;
    await put(80);
    await put(80);
    assert.equal(refusals, first, "not before its time");
    await put(81);
    assert.equal(refusals, first + 1, "because it has changed");
    const dueMs = fakeNode.dataplane.nextDueMs ?? 0;
    assert.ok(dueMs > fakeNode.clock.monotonicMs() + 1_000, "the wait has grown");
    fakeNode.nft.refusal = () => undefined;
    const { refusalsChanged, newAddresses } = await fakeNode.retry();
    assert.deepEqual([refusalsChanged, newAddresses], [["default/poison"], ["192.0.2.66"]]);
    assert.equal(fakeNode.dataplane.nextDueMs, undefined);
    assert.equal(where(fakeNode.send("192.0.2.66", { port: 81 })), "local 172.30.0.11 30080");
  });

  test("a Service that is deleted while it is refused is no longer reported", async () => {
    const fakeNode = new FakeNode();
    refuse(fakeNode.nft, "unnamed", "192.0.2.66");
    await fakeNode.put(service(), [local], ["192.0.2.66"]);
    assert.deepEqual(refusedOf(fakeNode), ["default/web"]);
    const { refusalsChanged } = await fakeNode.put(service(), [], []);
    assert.deepEqual([refusalsChanged, refusedOf(fakeNode)], [["default/web"], []]);
  });

  test("of one family do not keep the other from being written", async () => {
    const fakeNode = new FakeNode();
    fakeNode.nft.refusal = ({ key: [type] }) => (type === "ipv6_addr" ? "unnamed" : undefined);
    const { failures } = await fakeNode.put(service(), [local], ["192.0.2.200", "2001:db8::200"]);
    assert.deepEqual(failures, []);
    assert.deepEqual([fakeNode.isApplied("192.0.2.200"), fakeNode.isApplied("2001:db8::200")], [true, false]);
    assert.equal(fakeNode.dataplane.refusalOf("default/web")?.family, "IPv6");
  });
});

describe("a write that fails", () => {
  test("leaves the table as it is known, and addresses with rules count as applied", async () => {
    const fakeNode = new FakeNode();
    await fakeNode.put(service(), [local], ["192.0.2.200"]);
    fakeNode.nft.broken = "no memory";
    const { failures, refusalsChanged } = await fakeNode.put(service({ key: "default/b" }), [local], ["192.0.2.201"]);
    assert.equal(failures.length, 1);
    assert.deepEqual(refusalsChanged, [], "that everything is refused is no Service's fault");
    assert.deepEqual([fakeNode.isApplied("192.0.2.200"), fakeNode.isApplied("192.0.2.201")], [true, false]);
  });

  test("is not repeated before its time, whatever happens, but for new settings", async () => {
    const fakeNode = new FakeNode();
    let attempts = 0;
    const run = fakeNode.nft.run.bind(fakeNode.nft);
    fakeNode.nft.run = async (transaction) => {
      attempts += 1;
      await run(transaction);
    };
    fakeNode.nft.outcomeUnknown = true;
    await fakeNode.put(service(), [local], ["192.0.2.200"]);
    assert.equal(attempts, 2, "one for each family");
    for (let host = 1; host < 50; host++)
      await fakeNode.put(service({ key: `default/s${host}` }), [local], [`192.0.2.${host}`]);
    assert.equal(attempts, 2);
    await fakeNode.dataplane.apply({ ...settings, tcpLoose: false });
    assert.equal(attempts, 4);
  });

  test("beside a table that another program has changed writes the table as a whole, and accuses no Service", async () => {
    const fakeNode = new FakeNode();
    await fakeNode.put(service(), [local], ["192.0.2.200"]);
    await fakeNode.nft.run({ commands: [{ table: { family: "ip", name: "bellhop" }, kind: "deleteTable" }] });
    const { failures } = await fakeNode.put(service({ key: "default/b" }), [local], ["192.0.2.201"]);
    assert.deepEqual([failures, refusedOf(fakeNode)], [[], []]);
    for (const address of ["192.0.2.200", "192.0.2.201"])
      assert.equal(where(fakeNode.send(address)), "local 172.30.0.11 30080");
  });

  test("after a report of a foreign change no address counts as applied until the table is written again", async () => {
    const fakeNode = new FakeNode();
    await fakeNode.put(service(), [local], ["192.0.2.200"]);
    fakeNode.dataplane.foreignChange("IPv4");
    assert.equal(fakeNode.isApplied("192.0.2.200"), false);
    // As it is reported while the table is being written.
    const run = fakeNode.nft.run.bind(fakeNode.nft);
    fakeNode.nft.run = async (transaction) => {
      fakeNode.nft.run = run;
      await run(transaction);
      fakeNode.dataplane.foreignChange("IPv4");
    };
    await fakeNode.retry();
    assert.equal(fakeNode.isApplied("192.0.2.200"), false);
    await fakeNode.retry();
    assert.equal(fakeNode.isApplied("192.0.2.200"), true);
  });
});

test("whichever Services the kernel refuses, these alone are left out, and all others are written", async () => {
  const hosts = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 25 });
  await fc.assert(
    fc.asyncProperty(
      hosts,
      fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 5 }),
      fc.constantFrom("named" as const, "unnamed" as const),
      fc.boolean(),
      async (served, poisoned, how, atOnce) => {
        const fakeNode = new FakeNode();
        refuse(fakeNode.nft, how, ...poisoned.map((host) => `192.0.2.${host}`));
        if (atOnce) fakeNode.nft.broken = "later";
        for (const host of served)
          await fakeNode.put(service({ key: `default/s${host}` }), [local], [`192.0.2.${host}`]);
        fakeNode.nft.broken = undefined;
        const { failures } = await fakeNode.retry();
        assert.deepEqual(failures, []);
        const bad = served.filter((host) => poisoned.includes(host));
        assert.deepEqual(refusedOf(fakeNode), bad.map((host) => `default/s${host}`).sort());
        for (const host of served) assert.equal(fakeNode.isApplied(`192.0.2.${host}`), !bad.includes(host));
        const tables = [...fakeNode.nft.tables.keys()];
        assert.ok(!tables.some((name) => name.endsWith("probe")), "nothing is left of the search");
      },
    ),
    { numRuns: 60 },
  );
});

test("the search finds each item that is refused by itself, and blames none that are refused only together", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 100 }), async (items) => {
      const numbered = items.map((bad, index) => ({ bad, index }));
      const bad = numbered.filter((item) => item.bad);
      if (bad.length > 20) return;
      let probes = 0;
      const found = await findRefused(numbered, async (part) => {
        probes += 1;
        return !part.some((item) => item.bad);
      });
      assert.deepEqual(found, bad);
      assert.ok(probes <= 1 + 16 * bad.length);
      assert.deepEqual(await findRefused(numbered, async (part) => part.length < 2), []);
    }),
  );
});

test("where nearly everything is refused the search ends, and blames none", async () => {
  let probes = 0;
  const accepts = async (): Promise<boolean> => {
    probes += 1;
    return false;
  };
  assert.deepEqual(await findRefused([...Array(100_000).keys()], accepts), []);
  assert.ok(probes <= 500);
});
