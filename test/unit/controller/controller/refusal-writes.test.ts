import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

describe("a lasting refusal", () => {
  test("costs a bounded number of writes and events, also while other objects change", async () => {
    await cluster.addPool("lan", ["192.0.2.10"]);
    const running = await cluster.start();
    await cluster.addService("first");
    await cluster.expectShown("first", ["192.0.2.10"]);
    const refused = [
      { name: "full", spec: {}, code: "PoolExhausted" },
      { name: "taken", spec: { loadBalancerIP: "192.0.2.10" }, code: "RequestedAddressTaken" },
      { name: "garbage", spec: { loadBalancerIP: "one.two" }, code: "RequestedAddressInvalid" },
    ];
    for (const { name, spec, code } of refused) {
      await cluster.addService(name, spec);
      await cluster.expectCondition(name, `False ${code}`);
    }
    await cluster.idle();
    const before = cluster.server.writes.length;
    for (let round = 0; round < 10; round++) {
      await cluster.changePool("lan", { autoAssign: round % 2 === 0, avoidBuggyIPs: round % 2 === 0 });
      await cluster.changePool("lan", { autoAssign: true });
      for (const { name } of refused) {
        await cluster.changeService(name, { metadata: { labels: { round: String(round) } } });
      }
      await cluster.pass(150);
    }
    await cluster.idle();
    const ours = cluster.server.writes.slice(before).filter(({ path, body }) => {
      const labels = (body as { metadata?: { labels?: { round?: string } } } | undefined)?.metadata?.labels;
      return (path.includes("/services/") || path.includes("/events")) && labels?.round === undefined;
    });
    // While the pool does not auto-assign, one of them is refused for another reason: two codes, one event each.
    for (const { name, code } of refused) {
      const reasons = await cluster.eventsOf(name);
      assert.equal(reasons.filter((reason) => reason === code).length, 1, `${name}: ${reasons.join(" ")}`);
      assert.ok(reasons.length <= 2, `${name}: ${reasons.join(" ")}`);
    }
    for (const name of ["taken", "garbage"]) {
      assert.deepEqual(
        ours.filter(({ path }) => path.includes(`/services/${name}`)),
        [],
      );
    }
    const metrics = await running.registry.metrics();
    for (const { code } of refused)
      assert.match(metrics, new RegExp(`bellhop_services_pending\\{reason="${code}"\\} 1`));
    for (const { code } of refused) assert.match(metrics, new RegExp(`bellhop_refusals_total\\{reason="${code}"\\} `));
  });
});
