import { createNft, type Nft } from "../src/nft/nft.ts";
import type { NftFamily } from "../src/nft/transaction.ts";
import { removeTable, tableName } from "./dataplane/tables.ts";

/**
 * Removes Bellhop's tables from the kernel of this node, whether they are there or not; for uninstalling. Connections to pods
 * that are already tracked go on; those by node ports end. Throws BellhopError NftFailed after both families were tried.
 */
export async function removeRules(nft: Nft = createNft()): Promise<void> {
  const families: readonly NftFamily[] = ["ip", "ip6"];
  const results = await Promise.allSettled(
    families.map((family) => nft.run({ family, table: tableName, commands: removeTable })),
  );
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
