import type { Data } from "./data.ts";
import type { NftTransaction } from "./transaction.ts";

/** The seam to nftables. */
export interface Nft {
  /**
   * Carries out the transaction as a whole. Throws BellhopError NftFailed, and then nothing has changed, unless its cause, an
   * `NftFailureCause`, says that the outcome is unknown.
   */
  run(transaction: NftTransaction): Promise<void>;
}

/** The `cause` of a BellhopError NftFailed, as far as a caller can act on it. Without a cause the transaction was refused. */
export interface NftFailureCause {
  readonly kind: "refused" | "unknown";
  readonly faults?: readonly NftFault[];
}

/** What is wrong with one command. `key` is that of the element at fault, where the kernel names one. */
export interface NftFault {
  /** A name of errno(3). */
  readonly errno: string;
  readonly location?: { readonly element?: { readonly key: Uint8Array } };
}

/** Keys of elements, as `NftElement` has them, from the faults of a refusal. */
export function faultyKeys(faults: readonly NftFault[]): ReadonlySet<Data> {
  return new Set(
    faults.flatMap(({ location }) =>
      location?.element === undefined ? [] : [String.fromCharCode(...location.element.key)],
    ),
  );
}

/** Whether the kernel refuses because it has no tables of the family at all (nf_tables_newtable), so that there is none of ours. */
export function lacksFamily(faults: readonly NftFault[]): boolean {
  return faults.some(({ errno }) => errno === "EOPNOTSUPP" || errno === "EAFNOSUPPORT");
}
