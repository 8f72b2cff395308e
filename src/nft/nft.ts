import { BellhopError } from "../error/error.ts";
import type { Data } from "./data.ts";
import type { NftElement, NftSet } from "./set.ts";
import type { NftTable, NftTransaction } from "./transaction.ts";

/** The seam to nftables. */
export interface Nft {
  /**
   * Carries out the transaction as a whole. Throws BellhopError NftFailed, and then nothing has changed, unless its cause, an
   * `NftFailureCause`, says that the outcome is unknown.
   */
  run(transaction: NftTransaction): Promise<void>;
}

/** Reads what packets have put into dynamic maps. */
export interface NftReader {
  /**
   * The elements of a set, each with the time that it has left, in milliseconds. None where there is no such table or set, or where keys or
   * values have other lengths than declared. Throws BellhopError.
   */
  readElements(table: NftTable, set: NftSet): Promise<readonly NftElement[]>;
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

/** A transaction that was refused, so that nothing has changed. */
export interface NftRefusal {
  readonly error: BellhopError;
  /** Empty where the error names none. */
  readonly faults: readonly NftFault[];
}

/** The refusal that an error of `run` means; undefined: the outcome is unknown. Throws every error but a BellhopError. */
export function refusalOf(error: unknown): NftRefusal | undefined {
  if (!(error instanceof BellhopError)) throw error;
  if (error.code !== "NftFailed") return undefined;
  const cause = error.cause as NftFailureCause | undefined;
  return cause?.kind === "unknown" ? undefined : { error, faults: cause?.faults ?? [] };
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
