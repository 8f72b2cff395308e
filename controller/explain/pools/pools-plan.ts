import type { IpFamily } from "../../../src/ip/address.ts";
import type { Reason } from "../../../src/model/reason.ts";
import type { LocatedReason } from "./manifest.ts";

/** What applying some pools would do; plain data, as `-o json` gives it. */
export interface PoolsPlan {
  /** Nothing is refused or set aside, and no address in use falls outside or goes from its Services. */
  readonly harmless: boolean;
  /** In the files; such a pool is left out of everything below. */
  readonly faults: readonly LocatedReason[];
  /** One per sound pool of the files. */
  readonly pools: readonly PoolChange[];
  /** Pools that would be set aside and are not so now; of the files or others. */
  readonly rejected: readonly Reason[];
  /** Pools that would serve again. */
  readonly restored: readonly string[];
  /** Addresses in use that no usable pool would hold any more. They stay until their Services ask for another. */
  readonly outside: readonly AffectedAddress[];
  /** Addresses in use that another pool would hold. */
  readonly moved: readonly AffectedAddress[];
  /** Nodes' own addresses that would go from their Services, to which other nodes are left. */
  readonly leaving: readonly AffectedAddress[];
  /** Over all usable pools, exact decimal numbers. */
  readonly addresses: Readonly<Record<IpFamily, { readonly come: string; readonly go: string }>>;
  readonly skipped: readonly string[];
}

export interface PoolChange {
  readonly name: string;
  readonly change: "new" | "changed" | "unchanged";
  /** Addresses of each family, exact decimal numbers; before: undefined for a new one. */
  readonly before: Readonly<Record<IpFamily, string>> | undefined;
  readonly after: Readonly<Record<IpFamily, string>>;
}

export interface AffectedAddress {
  readonly address: string;
  /** `namespace/name`; none: a VirtualIP that reserves it. */
  readonly services: readonly string[];
  /** The pools that hold it before and after. */
  readonly from: string | undefined;
  readonly to: string | undefined;
}
