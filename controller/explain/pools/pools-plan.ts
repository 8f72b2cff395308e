import type { IpFamily } from "../../../src/ip/address.ts";
import type { Reason } from "../../../src/model/reason.ts";
import type { LocatedReason } from "./manifest.ts";

/** What applying some pools would do; plain data, as `-o json` prints it. */
export interface PoolsPlan {
  /** No pool is rejected, and no address in use is outside all pools or lost by its Services afterwards. */
  readonly harmless: boolean;
  /** What is wrong in the files. Such a pool is left out of everything below. */
  readonly invalid: readonly LocatedReason[];
  /** One for each valid pool of the files. */
  readonly pools: readonly PoolChange[];
  /** Why pools, of the files or others, would be rejected that are not rejected now. */
  readonly rejected: readonly Reason[];
  /** Names of pools that would be usable again. */
  readonly restored: readonly string[];
  /** Addresses in use that no usable pool would contain. They stay until their Services request another. */
  readonly outside: readonly AffectedAddress[];
  /** Addresses in use that another pool would contain. */
  readonly moved: readonly AffectedAddress[];
  /** Nodes' own addresses that their Services would lose, keeping those of other nodes. */
  readonly leaving: readonly AffectedAddress[];
  /** Over all usable pools, exact decimal numbers. */
  readonly addresses: Readonly<Record<IpFamily, { readonly added: string; readonly removed: string }>>;
  readonly skipped: readonly string[];
}

export interface PoolChange {
  readonly name: string;
  readonly change: "new" | "changed" | "unchanged";
  /** Addresses of each family, exact decimal numbers. Undefined for a new pool. */
  readonly before: Readonly<Record<IpFamily, string>> | undefined;
  readonly after: Readonly<Record<IpFamily, string>>;
  /** Addresses that the pool would not assign, because something else uses them. */
  readonly blocked: readonly string[];
}

export interface AffectedAddress {
  readonly address: string;
  /** `namespace/name`. Empty: a VirtualIP reserves it. */
  readonly services: readonly string[];
  /** The pools that contain it before and after. */
  readonly from: string | undefined;
  readonly to: string | undefined;
}
