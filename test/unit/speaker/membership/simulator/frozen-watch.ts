import type { Simulation } from "./simulation.ts";

/** Other nodes learn within this time what was found while a node was frozen. */
const thawedWithinMs = 500;

/** Packets arrive within this time. */
const toldWithinMs = 20;

/** A node that was not frozen a moment ago must not be reported as such, except by a node that learns what others have found before. */
export function findFalselyFrozen(simulation: Simulation, problems: string[]): void {
  /** By node: who counts it as frozen, and when the last of the others stopped to do so; what that one has sent may still be on its way. */
  const believers = new Map<string, Set<string>>();
  const believedMs = new Map<string, number>();
  simulation.reported = (node, fact) => {
    if (fact.kind !== "peerDown" && fact.kind !== "peerUp") return;
    const others = believers.get(fact.node) ?? new Set();
    believers.set(fact.node, others);
    const { nowMs } = simulation.events;
    if (others.delete(node.name)) believedMs.set(fact.node, nowMs);
    if (fact.kind === "peerUp" || fact.frozen !== true) return;
    const isTold =
      simulation.nodes.some(({ name, isRunning }) => isRunning && others.has(name)) ||
      nowMs < (believedMs.get(fact.node) ?? Number.NEGATIVE_INFINITY) + toldWithinMs;
    others.add(node.name);
    const about = simulation.nodes.find(({ name }) => name === fact.node);
    // It has just read what waited while it stood still itself.
    if (isTold || nowMs < node.stalledUntilMs + thawedWithinMs) return;
    if ((about?.frozenUntilMs ?? 0) + thawedWithinMs < nowMs)
      problems.push(`at ${nowMs}, ${node.name} counts ${fact.node} as frozen`);
  };
}
