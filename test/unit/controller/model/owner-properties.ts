import assert from "node:assert/strict";
import { followedAnnouncer } from "../../../../controller/virtual-ips/follow-announcer.ts";
import type { VirtualIP } from "../../../../src/api/virtual-ip.ts";
import { ownersOf } from "../../../../src/placement/owner-assignment.ts";
import { modelNodes } from "./replicated-cluster.ts";

/** Each address of a Service has all three nodes as owners, and no list that its announcer does not begin. */
export function checkOwners(claims: readonly VirtualIP[]): void {
  for (const object of claims) {
    const { spec } = object;
    if (spec.services.length === 0 || spec.heldUntil !== undefined) continue;
    const { owners } = ownersOf(object);
    assert.deepEqual([...owners].sort(), modelNodes, `the owners of ${spec.address}`);
    assert.equal(followedAnnouncer(object), undefined, `the list of ${spec.address} must follow its announcer`);
  }
}
