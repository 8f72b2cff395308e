import type { IPAddressPool } from "../../../src/api/ip-address-pool.ts";
import { formatAddress, type IpAddress } from "../../../src/ip/address.ts";
import { rangeContains } from "../../../src/ip/range.ts";
import { reasonMessage } from "../../../src/model/reason.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import { serviceKeyOf } from "../../../src/model/service-reference.ts";
import { type Claim, describeClaim, isQuarantined } from "../../allocate/claim/claim.ts";
import { parseRequest } from "../../allocate/claim/request.ts";
import type { ClusterNetwork } from "../../allocate/pool/cluster-network.ts";
import { isAvoided, parsePool } from "../../allocate/pool/pool.ts";
import { explainClaim } from "../service/explain-claim.ts";
import type { ServiceInput } from "../service/input.ts";
import type { AddressExplanation, AddressState } from "./explanation.ts";

/** What the explanation of one address is made from. */
export interface AddressInput extends Pick<ServiceInput, "allocations" | "virtualIps" | "candidates"> {
  readonly address: IpAddress;
  readonly services: Iterable<ServiceView>;
  /** Whether the Service with this key lists the address in spec.externalIPs, over the limit of its namespace. */
  readonly isUncounted: (key: string) => boolean;
  readonly pools: readonly IPAddressPool[];
  readonly networks: readonly ClusterNetwork[];
}

/** Explains who has an address, or why no Service can have it. Pure. */
export function explainAddress(input: AddressInput): AddressExplanation {
  const { address, allocations, services } = input;
  const text = formatAddress(address);
  const claim = allocations.claimAt(address);
  const all = [...services];
  const { state, conclusion } = conclude(input, claim, all);
  const serviceKeys = new Set((claim?.services ?? []).map(serviceKeyOf));
  const requestedBy = all.filter((service) => !serviceKeys.has(service.key) && requestsAddress(service, address));
  return {
    address: text,
    state,
    conclusion,
    pool: (allocations.nodes.poolAt(address) ?? allocations.poolOf(address))?.name,
    poolNotes: [
      ...poolNotes(input),
      ...all
        .filter(({ key }) => input.isUncounted(key))
        .map(
          ({ key }) =>
            `Service ${key} lists it in spec.externalIPs, over the limit of its namespace, so it is not kept out of pools.`,
        ),
    ],
    claim: claim === undefined ? undefined : explainClaim(claim, input),
    services: [...serviceKeys],
    requestedBy: requestedBy.map(({ key }) => key).sort(),
  };
}

function conclude(
  { address, allocations, networks, virtualIps }: AddressInput,
  claim: Claim | undefined,
  services: readonly ServiceView[],
): { readonly state: AddressState; readonly conclusion: string } {
  const text = formatAddress(address);
  if (claim !== undefined) {
    const node = virtualIps.get(claim.name)?.status?.node;
    const announced = node === undefined ? " No node announces it." : ` Node ${node} announces it.`;
    const announcement = claim.node === undefined ? announced : ` It is the address of Node ${claim.node}.`;
    return {
      state: stateOf(claim),
      conclusion: `${describeClaim(claim)}${claim.services.length === 0 ? "" : announcement}`,
    };
  }
  const ofNodes = allocations.nodes.poolAt(address);
  if (ofNodes !== undefined) {
    const whose = `the address of Node ${allocations.nodes.nodeAt(address)}`;
    return { state: "free", conclusion: `${text} is ${whose}, and pool ${ofNodes.name} assigns it to Services.` };
  }
  const blocked = allocations.blockedBy(address);
  if (blocked !== undefined) return { state: "used", conclusion: `${blocked} No Service can have it.` };
  const shownBy = services.find(({ ingress }) => ingress.some(({ ip }) => ip === text));
  if (shownBy !== undefined) {
    const whose = shownBy.loadBalancerClass === undefined ? "" : ` of class ${shownBy.loadBalancerClass}`;
    return {
      state: "used",
      conclusion: `Service ${shownBy.key}${whose} shows ${text} in its status, but no VirtualIP claims it. No other Service can have it.`,
    };
  }
  const pool = allocations.poolOf(address);
  if (pool !== undefined) {
    const how = pool.draining
      ? ", but the pool is draining and assigns no new addresses"
      : pool.autoAssign
        ? ""
        : ", for Services that name the pool or the address";
    return {
      state: pool.draining ? "outside" : "free",
      conclusion: `${text} is free in pool ${pool.name}${how}.`,
    };
  }
  const network = networks.find(({ range }) => rangeContains(range, address));
  if (network !== undefined) {
    const what = network.use === "Service" ? "the network of the cluster IPs" : "the pod network";
    return {
      state: "outside",
      conclusion: `${text} belongs to ${what} (${network.source}) and cannot be an external address.`,
    };
  }
  return { state: "outside", conclusion: `No Service has ${text}, and no usable pool contains it.` };
}

function stateOf(claim: Claim): AddressState {
  if (isQuarantined(claim)) return "used";
  if (claim.services.length === 0) return "reserved";
  return claim.heldUntilMs === undefined ? "assigned" : "held";
}

function requestsAddress(service: ServiceView, address: IpAddress): boolean {
  return parseRequest(service).requested?.get(address.family)?.address.value === address.value;
}

/** Pools that would have the address if they were not rejected and did not exclude or avoid it. */
function poolNotes({ address, allocations, pools }: AddressInput): readonly string[] {
  return pools.flatMap((raw) => {
    const { pool } = parsePool(raw);
    if (pool === undefined) return [];
    if (pool.excluded.some((range) => rangeContains(range, address))) return [`Pool ${pool.name} excludes it.`];
    if (!pool.ranges.some((range) => rangeContains(range, address))) return [];
    const reason = allocations.rejected.get(pool.name);
    if (reason !== undefined) return [`Pool ${pool.name} contains it, but is rejected. ${reasonMessage(reason)}`];
    return isAvoided(pool, address) ? [`Pool ${pool.name} does not assign it (avoidBuggyIPs).`] : [];
  });
}
