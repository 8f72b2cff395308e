import { HolderHistory, type KnownHolders } from "../../../../speaker/passing-on/holder-history.ts";

const address = "192.0.2.200";

/** What a node knows after it has seen an address move from node to node. */
export function holdersAfter(at: string, held: readonly string[]): KnownHolders {
  const history = new HolderHistory();
  for (const [index, node] of held.entries()) {
    if (node === at) history.begun(address, held[index - 1]);
    else history.heldBy(address, node);
  }
  return history.of(address) ?? { current: undefined, previous: [] };
}
