import assert from "node:assert/strict";
import { test } from "node:test";
import { type Flow, FlowRules } from "../../../../speaker/dataplane/flow.ts";

const vip = "192.0.2.200";
const rules = new FlowRules([
  { destination: vip, destinationPort: 53, endpoints: new Set(["10.0.0.1 5353"]) },
  { destination: "192.0.2.11", destinationPort: 30053, endpoints: "translated" },
]);

for (const [name, flow, forbidden] of [
  ["a flow to an endpoint", [vip, 53, "10.0.0.1", 5353], false],
  ["a flow to an endpoint that is gone", [vip, 53, "10.0.0.2", 5353], true],
  ["a flow to another port of an endpoint", [vip, 53, "10.0.0.1", 53], true],
  ["a flow that was made before the rules", [vip, 53, vip, 53], true],
  ["a flow to another port of the address", [vip, 54, "10.0.0.2", 53], false],
  ["a flow to another address", ["192.0.2.201", 53, "10.0.0.2", 53], false],
  ["a flow that kube-proxy translated", ["192.0.2.11", 30053, "10.9.9.9", 53], false],
  ["a flow that ended at the node", ["192.0.2.11", 30053, "192.0.2.11", 30053], true],
] as const) {
  test(`${name} is ${forbidden ? "stale" : "not stale"}`, () => {
    const [destination, destinationPort, replySource, replySourcePort] = flow;
    const whole: Flow = { destination, destinationPort, replySource, replySourcePort };
    assert.equal(
      rules.forbids(destinationPort, () => whole),
      forbidden,
    );
  });
}

test("flows to ports without a rule are not looked at", () => {
  assert.equal(
    rules.forbids(80, () => assert.fail("looked at")),
    false,
  );
});
