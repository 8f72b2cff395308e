import { type Departure, departureRank } from "../../src/model/departure.ts";

export interface DepartingNode {
  readonly departure: Departure | undefined;
}

/**
 * Of the nodes that may announce an address, those that announce it rather than the others: those that stay; else those that are only
 * cordoned; else all. The others may wait for it, so that the address always has an announcer.
 */
export function comingFirst<Node extends DepartingNode>(nodes: readonly Node[]): readonly Node[] {
  const least = nodes.reduce(
    (least, { departure }) => Math.min(least, departureRank(departure)),
    Number.POSITIVE_INFINITY,
  );
  return nodes.filter(({ departure }) => departureRank(departure) === least);
}
