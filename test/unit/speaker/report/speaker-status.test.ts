import assert from "node:assert/strict";
import { test } from "node:test";
import { speakerStatus } from "../../../../speaker/report/speaker-status.ts";
import {
  hasFeature,
  isReadyFor,
  refusedServicesOf,
  speakerSchema,
  statusOwnersFeature,
} from "../../../../src/api/speaker.ts";

const input = {
  version: "0.1.0",
  kernel: "6.18",
  bootNonce: "n",
  avoidsDeadNodes: true,
  learnsAffinity: true,
  links: [],
  gateways: [],
  conditions: [],
  readyFamilies: [],
  peers: undefined,
  refusedServices: [],
};

test("the number of announced addresses is always that of the list", () => {
  for (const announcing of [[], ["192.0.2.1"], ["2001:db8::1", "192.0.2.1"]]) {
    const status = speakerStatus({ ...input, announcing });
    assert.equal(status.announcingCount, announcing.length);
    assert.deepEqual(status.announcing, announcing.toSorted());
  }
});

test("a Speaker that an earlier version wrote, without the number, is still read", () => {
  const old = { metadata: { name: "n1" }, status: { announcing: ["192.0.2.1"] } };
  assert.deepEqual(speakerSchema.parse(old).status?.announcing, ["192.0.2.1"]);
});

test("the features of a speaker count for this speaker alone, not for an earlier version that takes over its object", () => {
  const speaker = (status?: unknown) => speakerSchema.parse({ metadata: { name: "n1" }, status });
  const reported = speakerStatus({ ...input, announcing: [] });
  assert.equal(hasFeature(speaker(reported), statusOwnersFeature), true);
  assert.equal(hasFeature(speaker({ ...reported, bootNonce: "of the earlier version" }), statusOwnersFeature), false);
  assert.equal(hasFeature(speaker({ bootNonce: "n" }), statusOwnersFeature), false);
  assert.equal(hasFeature(speaker(), statusOwnersFeature), undefined);
});

test("what a node can serve counts for this speaker alone, and one that does not say it can serve everything", () => {
  const speaker = (status?: unknown) => speakerSchema.parse({ metadata: { name: "n1" }, status });
  const reported = speakerStatus({
    ...input,
    announcing: [],
    readyFamilies: ["IPv6"],
    peers: undefined,
    refusedServices: ["a/b"],
  });
  const facts = (one: ReturnType<typeof speaker>) => [
    isReadyFor(one, "IPv4"),
    isReadyFor(one, "IPv6"),
    refusedServicesOf(one),
  ];
  assert.deepEqual(facts(speaker(reported)), [false, true, ["a/b"]]);
  assert.deepEqual(facts(speaker({ ...reported, bootNonce: "of the earlier version" })), [true, true, []]);
  assert.deepEqual(facts(speaker()), [true, true, []]);
});
