import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import { ownersOf, ownersTermOf } from "../../src/placement/owner-assignment.ts";

type Announced = Pick<VirtualIP, "metadata" | "spec" | "status">;

/**
 * The owner that announces the address although it is not the first one: speakers decide among themselves when an announcer dies, and stay with
 * what they decided. Pure. Undefined: the first owner announces it, or a node does by an earlier owner list, which says nothing about this
 * one.
 */
export function followedAnnouncer(object: Announced): string | undefined {
  const announcer = announcerOfTerm(object);
  return announcer !== undefined && ownersOf(object).owners.indexOf(announcer) > 0 ? announcer : undefined;
}

/** The node that announces the address by the owner list of the object. Pure. Undefined: none does, or it does by an earlier list. */
export function announcerOfTerm(object: Announced): string | undefined {
  return object.status?.observedGeneration === ownersTermOf(object) ? object.status.node : undefined;
}

/** The owner list with this node first, the others in their order. */
export function ownersFrom(node: string, owners: readonly string[]): readonly string[] {
  return [node, ...owners.filter((owner) => owner !== node)];
}
