import assert from "node:assert/strict";
import { test } from "node:test";
import { Counters } from "../../../../speaker/responder/counters.ts";

test("counters are shared through their memory", () => {
  const counters = new Counters();
  new Counters(counters.shared).add("arpReplies");
  assert.equal(counters.read("arpReplies"), 1);
  assert.equal(counters.read("arpRequests"), 0);
});
