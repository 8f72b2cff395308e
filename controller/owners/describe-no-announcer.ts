import { listSome } from "../../src/model/list-some.ts";
import type { NodeResult } from "./evaluate-nodes.ts";

/** What one node lacks, and what several do. */
const resultTexts = {
  NoSpeaker: [
    "has no running speaker or is excluded from load balancing",
    "have no running speaker or are excluded from load balancing",
  ],
  OffSubnet: ["has no interface on the subnet of the address", "have no interface on the subnet of the address"],
  NotAllowed: ["is not allowed by any L2Advertisement", "are not allowed by any L2Advertisement"],
} as const;

/** What the nodes lack that cannot announce an address, grouped; whole sentences. */
export function describeNoAnnouncer(nodes: readonly NodeResult[]): string {
  if (nodes.length === 0) return "There are no nodes.";
  const groups = Object.entries(resultTexts).flatMap(([code, [ofOne, ofSeveral]]) => {
    const names = nodes.filter((result) => result.code === code).map(({ node }) => node);
    if (names.length === 0) return [];
    const who = `${names.length === 1 ? "Node" : "Nodes"} ${listSome(names)}`;
    return [`${who} ${names.length === 1 ? ofOne : ofSeveral}.`];
  });
  return groups.join(" ");
}
