import assert from "node:assert/strict";
import { test } from "node:test";
import { leaveIntentOf } from "../../../../speaker/peers/leave-intent.ts";
import { PeerStates } from "../../../../speaker/peers/peer-states.ts";
import { silentLogger } from "../../../../src/log/log.ts";

test("a node is dead as a whole only if its kernel is silent, too", () => {
  const states = new PeerStates(silentLogger);
  assert.deepEqual([states.hearing, states.heardCount, states.lostCount], [undefined, 0, 0]);
  states.setHearing({ heard: ["n3", "n2"], lost: ["n4"] });
  assert.deepEqual(states.hearing, { heard: ["n2", "n3"], lost: ["n4"] });
  assert.deepEqual([states.heardCount, states.lostCount], [2, 1]);
  const dead = () => [...states.deadNodes];
  states.observe({ kind: "peerDown", node: "n3", nodeDead: false });
  assert.deepEqual(dead(), []);
  states.observe({ kind: "peerDown", node: "n3", nodeDead: true });
  assert.deepEqual(dead(), ["n3"]);
  states.observe({ kind: "peerUp", node: "n3" });
  assert.deepEqual(dead(), []);
  states.observe({ kind: "peerDown", node: "n3", nodeDead: true });
  states.setHearing({ heard: ["n3"], lost: [] });
  assert.deepEqual(dead(), [], "it is heard, although its return was not reported");
  states.observe({ kind: "peerDown", node: "n3", nodeDead: true });
  states.forget("n3");
  assert.deepEqual(dead(), [], "another node may get its name");
  states.observe({ kind: "peerDown", node: "n3", nodeDead: true, frozen: true });
  assert.deepEqual(
    [dead(), [...states.frozenNodes]],
    [["n3"], ["n3"]],
    "its kernel forwards, and its pods do not answer",
  );
  states.observe({ kind: "peerDown", node: "n3", nodeDead: false });
  assert.deepEqual([dead(), [...states.frozenNodes]], [[], []]);
  states.observe({ kind: "peerDown", node: "n3", nodeDead: true, frozen: true });
  states.observe({ kind: "peerUp", node: "n3" });
  assert.deepEqual([dead(), [...states.frozenNodes]], [[], []]);
  states.observe({ kind: "isolated" });
  assert.equal(states.isolated, true);
  states.observe({ kind: "connected" });
  assert.equal(states.isolated, false);
});

for (const { words, node, intent } of [
  { words: "a node that stays", node: { departure: undefined, excluded: false }, intent: "restart" },
  { words: "a node that is not known", node: undefined, intent: "restart" },
  { words: "a cordoned node", node: { departure: "Cordoned", excluded: false }, intent: "leave" },
  { words: "a node that shuts down", node: { departure: "ShuttingDown", excluded: false }, intent: "leave" },
  {
    words: "a node that is excluded from load balancers",
    node: { departure: undefined, excluded: true },
    intent: "leave",
  },
] as const) {
  test(`when the speaker of ${words} stops, it says ${intent}`, () => assert.equal(leaveIntentOf(node), intent));
}
