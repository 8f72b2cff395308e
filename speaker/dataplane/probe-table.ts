import type { Nft } from "../../src/nft/nft.ts";
import type { NftCommand, NftIpFamily, NftTable } from "../../src/nft/transaction.ts";
import type { ElementIndex } from "./element-index.ts";
import { fillTable } from "./table-state.ts";
import { createSets, probeTableOf, removeTableOf } from "./tables.ts";

/**
 * Whether the kernel takes these elements: writes them into a table of their own without base chains, which no packet meets, and
 * removes it again. Throws what `nft.run` throws.
 */
export async function probeElements(nft: Nft, family: NftIpFamily, index: ElementIndex): Promise<void> {
  const table: NftTable = probeTableOf(family);
  const remove = removeTableOf(table);
  const elements = fillTable(family, index).commands.map((command): NftCommand => ({ ...command, table }));
  await nft.run({ commands: [...remove, ...createSets(table, family), ...elements] });
  await nft.run({ commands: remove });
}
