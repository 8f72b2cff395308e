import type { NftTransaction } from "./transaction.ts";

/** The seam to nftables. */
export interface Nft {
  /**
   * Carries out the transaction as a whole. Throws BellhopError NftFailed, and then nothing has changed, unless its cause says that the
   * outcome is unknown.
   */
  run(transaction: NftTransaction): Promise<void>;
}
