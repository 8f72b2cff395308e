import assert from "node:assert/strict";
import { test } from "node:test";
import { inTable } from "../../../../speaker/dataplane/tables.ts";
import { interfaceData } from "../../../../src/nft/data.ts";
import { field } from "../../../../src/nft/expression.ts";
import type { NftSet } from "../../../../src/nft/set.ts";
import type { Statement } from "../../../../src/nft/statement.ts";
import type { NftAction } from "../../../../src/nft/transaction.ts";
import { byNodePort, endpoint, FakeNode, port, service, settings, slice, vip, vip6, where } from "./fake-node.ts";
import { local, local6, pods } from "./web-pods.ts";

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

test("a new address of the node rewrites the table", async () => {
  const fakeNode = new FakeNode();
  await fakeNode.put(service(byNodePort), [local], [vip]);
  await fakeNode.dataplane.apply({ ...settings, nodeAddresses: { IPv4: "172.30.0.12", IPv6: undefined } });
  assert.equal(where(fakeNode.send(vip)), "forwarded 172.30.0.12 30080");
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
