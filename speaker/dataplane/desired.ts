import type { KeptElement } from "./kept-element.ts";
import type { SharedBlocks } from "./shared-blocks.ts";

/** What one owner desires of an element. */
export interface Desire {
  readonly owner: string;
  readonly kept: KeptElement;
}

/** What is desired of an element; by owner where there are several. */
export type Desired = Desire | Map<string, Desire>;

export function ownDesire(desired: Desired | undefined, owner: string): Desire | undefined {
  if (desired instanceof Map) return desired.get(owner);
  return desired?.owner === owner ? desired : undefined;
}

/** What the owners desire of endpoints. `others`: instead of that, what these owners desired; undefined: nothing. */
export function blocksOf(
  desired: Desired | undefined,
  others: ReadonlyMap<string, KeptElement | undefined> = new Map(),
): SharedBlocks {
  const blocks = new Map<string, string>();
  const desires = desired instanceof Map ? desired.values() : desired === undefined ? [] : [desired];
  for (const { owner, kept } of desires) if (typeof kept === "string") blocks.set(owner, kept);
  for (const [owner, kept] of others) {
    if (typeof kept === "string") blocks.set(owner, kept);
    else blocks.delete(owner);
  }
  return blocks;
}
