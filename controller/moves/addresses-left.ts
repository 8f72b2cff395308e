import { nodeAnnotation } from "../../src/api/labels.ts";
import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import { formatAddress } from "../../src/ip/address.ts";
import { type Reason, reasonOf } from "../../src/model/reason.ts";
import { serviceKeyOf } from "../../src/model/service-reference.ts";
import { ownersOf } from "../../src/placement/owner-assignment.ts";
import { type Claim, isInUse } from "../allocate/claim/claim.ts";
import { type CandidateLookup, createCandidateLookup } from "../owners/candidates.ts";
import { describeNoAnnouncer } from "../owners/describe-no-announcer.ts";
import { evaluateNodes } from "../owners/evaluate-nodes.ts";
import { preferredNodes } from "../owners/preferred-nodes.ts";
import type { MovesInput } from "./moves-input.ts";

/** An address that a drained node announces, or is to announce. */
export interface AddressLeft {
  readonly address: string;
  readonly virtualIp: string;
  /** `namespace/name`. */
  readonly services: readonly string[];
  /** Why it stays. Undefined: it is about to move. */
  readonly stays: Reason | undefined;
}

/** The addresses that are left on a drained node, in the order of the VirtualIPs. Pure; decides with the controller's own functions. */
export function addressesLeft(input: MovesInput, node: string): readonly AddressLeft[] {
  const lookup = createCandidateLookup(input.candidates);
  return [...input.claims.values()].flatMap((claim): readonly AddressLeft[] => {
    const object = input.virtualIps.get(claim.name);
    if (object === undefined || !isInUse(claim) || claim.node !== undefined || !isOn(object, node)) return [];
    return [
      {
        address: formatAddress(claim.address),
        virtualIp: claim.name,
        services: claim.services.map(serviceKeyOf),
        stays: staysBecause(input, lookup, claim, object, node),
      },
    ];
  });
}

/** Whether the node announces the address, or is the first one that should. Pure. */
export function isOn(object: VirtualIP, node: string): boolean {
  return object.status?.node === node || ownersOf(object).owners[0] === node;
}

function staysBecause(
  { candidates: input, localNodes }: MovesInput,
  lookup: CandidateLookup,
  claim: Claim,
  object: VirtualIP,
  node: string,
): Reason | undefined {
  const candidates = lookup(claim);
  const local = localNodes(claim.services);
  const pinned = object.metadata.annotations[nodeAnnotation];
  const first = preferredNodes({ ...candidates, local, pinned }) ?? new Set(candidates.nodes);
  if (candidates.nodes.some((other) => other !== node && first.has(other)) && !first.has(node)) return undefined;
  const others = evaluateNodes(input, claim).filter((result) => result.node !== node);
  const able = others.filter(({ eligible }) => eligible).map((result) => result.node);
  const detail =
    able.length === 0
      ? describeNoAnnouncer(others)
      : local?.has(node)
        ? "Its Services have externalTrafficPolicy Local, and ready pods only on this node or on others that are about to stop."
        : `${able.join(", ")} may announce it, but ${able.length === 1 ? "is" : "are"} about to stop, too.`;
  return reasonOf("NoOtherAnnouncer", { object: `VirtualIP ${claim.name}`, field: "", value: node, detail });
}
