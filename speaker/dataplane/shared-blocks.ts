import type { Data } from "../../src/nft/data.ts";
import { type BlockLayout, blockDifference, type EndpointBlock } from "./endpoint-block.ts";

/** Blocks with the same head, by owner. Of elements with the same key, that of the owner with the smallest name counts. */
export type SharedBlocks = ReadonlyMap<string, EndpointBlock>;

/** Elements that no longer count, or with other data, and those that do now; "" where there are none. */
export interface SharedChange {
  readonly gone: EndpointBlock;
  readonly come: EndpointBlock;
}

/** What differs where blocks of these owners differ. Looks for what they have changed at the others, and puts no blocks together: many may share an address. */
export function sharedChange(
  layout: BlockLayout,
  owners: Iterable<string>,
  before: SharedBlocks,
  now: SharedBlocks,
): SharedChange {
  const keys = new Set<Data>();
  for (const owner of owners) {
    const [left = "", right = ""] = [before.get(owner), now.get(owner)];
    const changed = blockDifference(layout, left, right) + blockDifference(layout, right, left);
    for (let at = 0; at < changed.length; at += layout.key + layout.data) keys.add(changed.slice(at, at + layout.key));
  }
  const gone: Data[] = [];
  const come: Data[] = [];
  for (const key of keys) {
    const [old, present] = [winning(layout, before, key), winning(layout, now, key)];
    if (old === present) continue;
    gone.push(old);
    come.push(present);
  }
  return { gone: gone.join(""), come: come.join("") };
}

/** The element with this key that counts, with its data; "": there is none. */
function winning(layout: BlockLayout, blocks: SharedBlocks, key: Data): Data {
  let best: { readonly owner: string; readonly element: Data } | undefined;
  for (const [owner, block] of blocks) {
    const element = elementIn(layout, block, key);
    if (element !== "" && (best === undefined || owner < best.owner)) best = { owner, element };
  }
  return best?.element ?? "";
}

function elementIn(layout: BlockLayout, block: EndpointBlock, key: Data): Data {
  const length = layout.key + layout.data;
  let at = block.indexOf(key);
  // What begins in the middle of an element is not its key.
  while (at >= 0 && at % length !== 0) at = block.indexOf(key, at + 1);
  return at < 0 ? "" : block.slice(at, at + length);
}
