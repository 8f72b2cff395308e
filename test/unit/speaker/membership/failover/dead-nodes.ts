import type { Measured } from "../simulator/peaceful-cluster.ts";

/** By node: which others it takes out of its rules, by what was reported to it. */
export function deadNodesIn({ facts }: Measured): Readonly<Record<string, readonly string[]>> {
  const dead = new Map<string, Set<string>>();
  for (const [node, fact] of facts) {
    const mine = dead.get(node) ?? new Set();
    dead.set(node, mine);
    if (fact.kind === "peerDown" && fact.nodeDead) mine.add(fact.node);
    else if (fact.kind === "peerDown" || fact.kind === "peerUp") mine.delete(fact.node);
  }
  return Object.fromEntries([...dead].map(([node, mine]) => [node, [...mine]]));
}
