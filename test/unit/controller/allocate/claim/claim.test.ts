import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseClaim } from "../../../../../controller/allocate/claim/claim.ts";
import { virtualIpSchema } from "../../../../../src/api/virtual-ip.ts";
import { formatAddress } from "../../../../../src/ip/address.ts";
import { reasonMessage } from "../../../../../src/model/reason.ts";
import { claimCases } from "./claim-cases.ts";

function virtualIp(name: string, spec: Record<string, unknown>, ours = true) {
  const labels = ours ? { "app.kubernetes.io/managed-by": "bellhop-controller" } : {};
  return virtualIpSchema.parse({ metadata: { name, labels }, spec });
}

describe("a VirtualIP is a claim only if its name is made from its address", () => {
  for (const { name, address, refuses } of claimCases) {
    test(`${name}: ${JSON.stringify(address)} is ${refuses === undefined ? "a claim" : "refused"}`, () => {
      const { claim, reason } = parseClaim(virtualIp(name, { address }));
      assert.deepEqual(claim && formatAddress(claim.address), refuses === undefined ? address : undefined);
      assert.deepEqual([reason?.code, reason?.field, reason?.value], [refuses?.code, refuses?.field, refuses?.value]);
      for (const text of refuses?.names ?? []) assert.ok(reason !== undefined && reasonMessage(reason).includes(text));
    });
  }
});

test("node and hold count only in a VirtualIP of ours", () => {
  const spec = { address: "192.0.2.7", node: "n1", heldUntil: "2026-01-01T00:00:00Z" };
  const ours = parseClaim(virtualIp("192.0.2.7", spec)).claim;
  assert.deepEqual([ours?.managed, ours?.node, ours?.heldUntilMs], [true, "n1", Date.UTC(2026, 0, 1)]);
  const theirs = parseClaim(virtualIp("192.0.2.7", spec, false)).claim;
  assert.deepEqual([theirs?.managed, theirs?.node, theirs?.heldUntilMs], [false, undefined, undefined]);
});

test("a hold until a time that cannot be read is over", () => {
  const { claim } = parseClaim(virtualIp("192.0.2.7", { address: "192.0.2.7", heldUntil: "soon" }));
  assert.equal(claim?.heldUntilMs, 0);
});

describe("what a reservation records of its Services", () => {
  const web = { namespace: "default", name: "web" };
  const sharing = (port: string) => ({ key: "front", ports: [port], backends: "Cluster" });
  const parse = (services: readonly unknown[], status?: Record<string, unknown>) =>
    parseClaim(
      virtualIpSchema.parse({
        metadata: { name: "192.0.2.7" },
        spec: { address: "192.0.2.7", services },
        ...(status === undefined ? {} : { status }),
      }),
    ).claim?.services;

  test("is in the status", () => {
    const recorded = { services: [{ ...web, sharing: sharing("80/TCP") }] };
    assert.deepEqual(parse([web], recorded), [{ ...web, sharing: sharing("80/TCP") }]);
    assert.deepEqual(parse([], recorded), [], "a Service that the user has removed does not count");
  });

  test("was in the spec in earlier versions, and is read there until something is recorded in the status", () => {
    const former = [{ ...web, sharing: sharing("81/TCP") }];
    assert.deepEqual(parse(former), former);
    assert.deepEqual(parse(former, { conditions: [] }), former);
    assert.deepEqual(parse(former, { services: [] }), [web]);
  });
});
