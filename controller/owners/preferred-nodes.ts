import type { Candidates } from "./candidates.ts";

/** What decides which candidates of an address come before the others. */
export interface PreferenceInput extends Pick<Candidates, "nodes" | "preferred" | "departing"> {
  /** Nodes with ready endpoints where only these count. Undefined: any node will do. */
  readonly local: ReadonlySet<string> | undefined;
  /** The node of the annotation bellhop.dev/node. */
  readonly pinned: string | undefined;
}

/**
 * The nodes that come before the others, for one address. Pure. Undefined: all are equal. Nodes with ready endpoints come first where only these
 * count: without endpoints a node could serve no client. Of these, the node that the user has pinned the address to, while it may announce
 * it and does not depart. Else those that advertisements prefer and that do not depart.
 */
export function preferredNodes(input: PreferenceInput): ReadonlySet<string> | undefined {
  const { nodes, preferred, local } = input;
  const pinned = usablePin(input);
  if (pinned !== undefined) return new Set([pinned]);
  if (local === undefined || preferred === undefined) return local ?? preferred;
  const both = nodes.filter((node) => local.has(node) && preferred.has(node));
  return both.length === 0 ? local : new Set(both);
}

function usablePin({ nodes, departing, local, pinned }: PreferenceInput): string | undefined {
  if (pinned === undefined || departing.has(pinned) || !nodes.includes(pinned)) return undefined;
  if (local === undefined || local.has(pinned)) return pinned;
  return nodes.some((node) => local.has(node)) ? undefined : pinned;
}
