import type { Reflector } from "./reflector.ts";

/**
 * After a lost connection a watch is closed within 150 s, and the next attempt comes within 30 s and takes 30 s at most (reflector.ts).
 * This much silence means that several attempts have failed.
 */
const lostMs = 240_000;

/**
 * Why a program does not know the current state of the cluster: collections that were never listed, and those about which nothing was
 * received for minutes. Not a reason for a restart, which would lose what is known, and could not read it again.
 */
export function reflectorFaults(
  reflectors: Readonly<Record<string, Pick<Reflector<unknown>, "synced" | "lastHeardMs">>>,
  nowMs: number,
): readonly string[] {
  return Object.entries(reflectors).flatMap(([resource, { synced, lastHeardMs }]) => {
    if (!synced) return [`${resource} are not listed yet`];
    const silentMs = nowMs - (lastHeardMs ?? Number.NEGATIVE_INFINITY);
    if (silentMs < lostMs) return [];
    return [`the API server has said nothing about ${resource} for ${Math.round(silentMs / 1000)} s`];
  });
}
