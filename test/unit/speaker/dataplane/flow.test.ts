import assert from "node:assert/strict";
import { test } from "node:test";
import { parseFlows, staleFlows } from "../../../../speaker/dataplane/flow.ts";

test("the listing of conntrack is read", () => {
  const listing = [
    "udp      17 29 src=192.0.2.99 dst=192.0.2.200 sport=40000 dport=53 [UNREPLIED] src=10.244.1.2 dst=192.0.2.99 sport=5353 dport=40000 mark=0 use=1",
    "udp      17 119 src=2001:db8::99 dst=2001:db8::200 sport=40000 dport=53 packets=3 bytes=90 src=fd01::2 dst=2001:db8::99 sport=5353 dport=40000 packets=1 bytes=30 [ASSURED] mark=0 use=1",
    "conntrack v1.4.7 (conntrack-tools): 2 flow entries have been shown.",
    "",
  ].join("\n");
  assert.deepEqual(parseFlows(listing), [
    { destination: "192.0.2.200", destinationPort: 53, replySource: "10.244.1.2", replySourcePort: 5353 },
    { destination: "2001:db8::200", destinationPort: 53, replySource: "fd01::2", replySourcePort: 5353 },
  ]);
});

test("many flows of one kind make one pattern", () => {
  const flow = { destination: "192.0.2.200", destinationPort: 53, replySource: "10.0.0.1", replySourcePort: 53 };
  const rule = { destination: "192.0.2.200", destinationPort: 53, endpoints: new Set<string>() };
  assert.deepEqual(staleFlows([flow, { ...flow }], [rule]), [flow]);
});
