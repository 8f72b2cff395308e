import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parsePoolManifest } from "../../../../../controller/explain/pools/manifest.ts";
import { createPalette } from "../../../../../src/cli/text/palette.ts";
import { renderPoolsPlan } from "../../../../../src/cli/text/pools-plan.ts";
import { useCluster } from "../../fake-cluster/use-cluster.ts";
import { askPlan } from "../load-and-explain.ts";
import { manifest, manifestCases } from "./manifest-cases.ts";

describe("reading pools from a file", () => {
  for (const { name, text, faults } of manifestCases) {
    test(name, () => {
      const found = parsePoolManifest("new.yaml", text).reasons;
      assert.deepEqual(
        found.map(({ line, reason }) => `${line} ${reason.code} ${reason.field}`),
        faults,
      );
    });
  }

  test("Lists are opened, other kinds passed over", () => {
    const text = [
      "kind: List",
      "apiVersion: v1",
      "items:",
      "  - {apiVersion: v1, kind: Namespace, metadata: {name: shop}}",
      '  - {apiVersion: bellhop.dev/v1beta1, kind: IPAddressPool, metadata: {name: p}, spec: {addresses: ["192.0.2.1"]}}',
    ].join("\n");
    const { pools, reasons, skipped } = parsePoolManifest("new.yaml", text);
    assert.deepEqual(reasons, []);
    assert.deepEqual(skipped, ["Namespace shop"]);
    assert.deepEqual(
      pools.map(({ metadata }) => metadata.name),
      ["p"],
    );
  });

  test("what was probably meant is part of the message", () => {
    const { reasons } = parsePoolManifest("new.yaml", manifest("p", ["192.0.2.17/24", "192.0.2.9-192.0.2.2"]));
    assert.match(
      reasons[0]?.reason.message ?? "",
      /The network is 192\.0\.2\.0\/24, and the single address is 192\.0\.2\.17\./,
    );
    assert.match(reasons[1]?.reason.message ?? "", /192\.0\.2\.2-192\.0\.2\.9/);
  });
});

describe("bellhop pools plan", () => {
  const cluster = useCluster(async (cluster) => {
    await cluster.addNode("n1");
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.19"]);
    await cluster.start();
    await cluster.addService("web");
    await cluster.addService("shop");
    await cluster.eventually(async () => assert.equal(await cluster.condition("shop"), "True AddressAssigned"));
    await cluster.eventually(async () => assert.equal(await cluster.condition("web"), "True AddressAssigned"));
  });

  test("a larger pool does no harm", async () => {
    const plan = await askPlan(cluster, manifest("lan", ["192.0.2.10-192.0.2.29"]));
    assert.ok(plan.harmless);
    assert.deepEqual(plan.addresses.IPv4, { added: "10", removed: "0" });
    assert.equal(plan.pools[0]?.change, "changed");
    assert.match(renderPoolsPlan(plan, createPalette(false)), /IPv4 10 → 20[\s\S]*✓ No pool would be rejected/);
  });

  test("addresses that something else uses are named, although the pool contains them", async () => {
    const plan = await askPlan(cluster, manifest("edge", ["192.0.2.250-192.0.2.255"]));
    assert.deepEqual(plan.pools[0]?.blocked, ["192.0.2.250", "192.0.2.255"]);
    const text = renderPoolsPlan(plan, createPalette(false));
    assert.match(text, /not assigned, because something else uses them: 192\.0\.2\.250, 192\.0\.2\.255 \(/);
    const free = await askPlan(cluster, manifest("edge", ["192.0.2.20-192.0.2.29"]));
    assert.doesNotMatch(renderPoolsPlan(free, createPalette(false)), /not assigned/);
  });

  test("files without a pool are not called harmless, because nothing was checked", async () => {
    for (const text of ["", "apiVersion: bellhop.dev/v1beta1\nkind: L2Advertisement\nmetadata: {name: lan}\n"]) {
      const rendered = renderPoolsPlan(await askPlan(cluster, text), createPalette(false));
      assert.match(rendered, /There is no IPAddressPool in the files, so nothing has been checked/);
      assert.doesNotMatch(rendered, /✓/);
    }
  });

  test("a smaller one leaves a Service outside, by name", async () => {
    const plan = await askPlan(cluster, manifest("lan", ["192.0.2.11-192.0.2.19"]));
    assert.ok(!plan.harmless);
    assert.deepEqual(
      plan.outside.map(({ address }) => address),
      ["192.0.2.10"],
    );
    assert.equal(plan.outside[0]?.services.length, 1);
    assert.deepEqual(plan.addresses.IPv4, { added: "0", removed: "1" });
  });

  test("addresses that change their pool are listed and do no harm", async () => {
    const text = `${manifest("lan", ["192.0.2.11-192.0.2.19"])}---\n${manifest("new", ["192.0.2.10"])}`;
    const plan = await askPlan(cluster, text);
    assert.ok(plan.harmless);
    assert.deepEqual(
      plan.moved.map(({ address, from, to }) => `${address} ${from} ${to}`),
      ["192.0.2.10 lan new"],
    );
    assert.deepEqual(plan.addresses.IPv4, { added: "0", removed: "0" });
  });

  test("a new pool that overlaps is the one that is rejected", async () => {
    const plan = await askPlan(cluster, manifest("new", ["192.0.2.19-192.0.2.29"]));
    assert.deepEqual(
      plan.rejected.map(({ code, object }) => `${code} ${object}`),
      ["PoolOverlaps IPAddressPool new"],
    );
    assert.deepEqual(plan.outside, []);
  });

  test("an old pool that is extended over a younger one causes that to be rejected, with its addresses", async () => {
    await cluster.addPool("young", ["192.0.2.30-192.0.2.39"], { autoAssign: false });
    await cluster.addService("there", { loadBalancerIP: "192.0.2.31" });
    await cluster.eventually(async () => assert.equal(await cluster.condition("there"), "True AddressAssigned"));
    const plan = await askPlan(cluster, manifest("lan", ["192.0.2.10-192.0.2.30"]));
    assert.deepEqual(
      plan.rejected.map(({ object }) => object),
      ["IPAddressPool young"],
    );
    assert.deepEqual(
      plan.outside.map(({ services }) => services),
      [["default/there"]],
    );
  });

  test("a pool with mistakes is left out of the rest, and nothing is written", async () => {
    const before = cluster.server.requests.length;
    const plan = await askPlan(cluster, manifest("lan", ["192.0.2.17/24"]));
    assert.ok(!plan.harmless);
    assert.equal(plan.invalid.length, 1);
    assert.deepEqual(plan.outside, []);
    const writes = cluster.server.requests.slice(before).filter(({ method }) => method !== "GET");
    assert.deepEqual(writes, []);
  });
});
