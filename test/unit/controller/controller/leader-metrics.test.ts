import assert from "node:assert/strict";
import { test } from "node:test";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster(async (cluster) => {
  await cluster.addNode("n1");
  await cluster.addPool("lan", ["192.0.2.10-192.0.2.11"]);
});

/** What only a leader learns. */
function ofLeader(text: string): readonly string[] {
  return text.match(/^bellhop_(addresses_owned|services_pending)\b.*$/gm) ?? [];
}

test("a standby, or a leader of the past, exports nothing that only a leader learns", async () => {
  const { registry, controller } = await cluster.start({}, cluster.server, false);
  assert.deepEqual(ofLeader(await registry.metrics()), []);
  for (const name of ["a", "b", "c"]) await cluster.addService(name);
  const term = new AbortController();
  const leading = controller.lead(term.signal);
  await cluster.eventually(async () => {
    const values = ofLeader(await registry.metrics());
    for (const value of ['bellhop_services_pending{reason="PoolExhausted"} 1', 'bellhop_addresses_owned{node="n1"} 2'])
      assert.ok(values.includes(value), `${value} is missing of\n${values.join("\n")}`);
  });
  term.abort();
  await cluster.pass(100);
  await leading;
  assert.deepEqual(ofLeader(await registry.metrics()), []);
  await cluster.deleteService("c");
  const again = new AbortController();
  const leadingAgain = controller.lead(again.signal);
  await cluster.idle();
  const pending = ofLeader(await registry.metrics()).filter((line) => line.includes("pending"));
  assert.deepEqual(pending, [], "a Service that went while another led is not pending");
  again.abort();
  await cluster.pass(100);
  await leadingAgain;
});
