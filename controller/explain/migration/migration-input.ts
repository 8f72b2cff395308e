import type { IPAddressPool } from "../../../src/api/ip-address-pool.ts";
import type { MetallbCompatibility } from "../../../src/api/metallb.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import type { AddressAllocations } from "../../allocate/allocations/address-allocations.ts";
import type { CandidateInput } from "../../owners/announcer-node.ts";
import type { PoolManifest } from "../pools/manifest.ts";
import type { BgpAdvertisement } from "./bgp-only.ts";
import type { AddressOnInterface } from "./remarks.ts";
import type { ServiceMarks } from "./service-marks.ts";

/** The cluster as `checkMigration` needs it. */
export interface MigrationInput {
  /** Services that concern the controller, of any type. */
  readonly services: readonly ServiceView[];
  /** By `namespace/name`. */
  readonly marks: ReadonlyMap<string, ServiceMarks>;
  /** Services that ServiceLB has a DaemonSet for, by `namespace/name`. */
  readonly serviceLb: ReadonlySet<string>;
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>>;
  readonly defaultClass: boolean;
  readonly metallb: MetallbCompatibility | undefined;
  /** Classes of Services that stay with the load balancer that they have. */
  readonly leaveClasses: readonly string[];
  readonly manifests: readonly PoolManifest[];
  /** All pools by name, with those of the files. */
  readonly pools: ReadonlyMap<string, IPAddressPool>;
  /** Of a snapshot: what the Services get is recorded in them. */
  readonly allocations: AddressAllocations;
  readonly candidates: CandidateInput;
  readonly bgp: readonly BgpAdvertisement[];
  /** Addresses of Services that nodes have on an interface, by `namespace/name`. They do not block these addresses. */
  readonly onInterfaces: ReadonlyMap<string, readonly AddressOnInterface[]>;
  readonly unreadable: readonly string[];
  /** What could not be asked, in whole sentences. */
  readonly unknown: readonly string[];
}
