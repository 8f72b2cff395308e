import { formatAddress, type IpFamily } from "../../../src/ip/address.ts";
import { listSome } from "../../../src/model/list-some.ts";
import type { ReasonCode } from "../../../src/model/reason.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import type { AllocationsReader } from "../allocations/address-allocations.ts";
import { describeDraining } from "../allocations/describe-pools.ts";
import type { NodeAddress } from "../allocations/node-addresses.ts";
import { type Claim, describeClaim, isClaimOf } from "../claim/claim.ts";
import { findFullConflict, findSharingConflict, portsOf } from "../claim/sharing.ts";
import { listsPort, nodeNeedOf } from "../pool/node-ports.ts";
import { describeAdmissionRefusal, type Pool } from "../pool/pool.ts";

/** Why a Service cannot have a node's own address, and because of which ports. */
export interface NodeAddressConflict {
  readonly code: ReasonCode;
  /** `80/TCP`. */
  readonly value: string;
  readonly detail: string;
}

/** The addresses that the Service would be served at. Under externalTrafficPolicy Local only those of nodes with ready endpoints. */
export function nodeAddressesFor(
  allocations: AllocationsReader,
  pool: Pool,
  service: ServiceView,
  family: IpFamily,
): readonly NodeAddress[] {
  const local = service.externalTrafficPolicy === "Local" ? allocations.readyNodesOf(service.key) : undefined;
  return allocations.nodes.of(pool, family, local);
}

/** A port of the Service that nodes need themselves, or that the pool does not allow. */
export function findRefusedPort(pool: Pool, service: ServiceView): NodeAddressConflict | undefined {
  const { allowedPorts = [], reservedPorts = [] } = pool.nodes ?? {};
  for (const value of portsOf(service)) {
    const need = nodeNeedOf(value);
    const reserved =
      need !== undefined
        ? `Nodes use ${value} for ${need}.`
        : `Pool ${pool.name} lists ${value} in spec.nodeAddresses.reservedPorts.`;
    if (need !== undefined || listsPort(reservedPorts, value))
      return { code: "NodeAddressPortReserved", value, detail: reserved };
    if (listsPort(allowedPorts, value)) continue;
    const listed = listSome(allowedPorts);
    const detail = `Pool ${pool.name} allows ${listed === "" ? "no ports" : `only ${listed}`}.`;
    return { code: "NodeAddressPortNotAllowed", value, detail };
  }
  return undefined;
}

/** Why the Service cannot have one address. Undefined: it can. */
export function findNodeAddressConflict(
  allocations: AllocationsReader,
  service: ServiceView,
  { address }: NodeAddress,
): NodeAddressConflict | undefined {
  const claim = allocations.claimAt(address);
  if (claim === undefined) return undefined;
  const value = portsOf(service).join(", ");
  if (claim.node === undefined) {
    const detail = claim.managed
      ? describeClaim(claim, service.namespace)
      : `VirtualIP ${claim.name} reserves ${formatAddress(address)}.`;
    return { code: "NodeAddressPortTaken", value, detail };
  }
  const full = isClaimOf(claim, service) ? undefined : findFullConflict(claim);
  const conflict = findSharingConflict(claim, service) ?? full;
  return conflict === undefined ? undefined : { code: conflict.code, value, detail: conflict.detail };
}

/** The claims of nodes' own addresses that the Service holds, of one family. */
export function currentNodeClaims(
  allocations: AllocationsReader,
  service: ServiceView,
  family: IpFamily,
): readonly Claim[] {
  return allocations
    .claimsOf(service.key)
    .filter((claim) => claim.node !== undefined && claim.address.family === family && isClaimOf(claim, service));
}

/** Why the pool assigns nothing to the Service, whatever its ports are. */
export function findAdmissionRefusal(
  pool: Pool,
  service: ServiceView,
  namespaceLabels: Readonly<Record<string, string>>,
): { readonly code: ReasonCode; readonly detail: string } | undefined {
  const forbidden = describeAdmissionRefusal(pool, service, namespaceLabels);
  if (forbidden !== undefined) return { code: "PoolForbidsService", detail: forbidden };
  return pool.draining ? { code: "PoolDraining", detail: describeDraining([pool.name]) } : undefined;
}
