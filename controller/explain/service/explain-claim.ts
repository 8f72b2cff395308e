import { nodeAnnotation } from "../../../src/api/labels.ts";
import { formatAddress } from "../../../src/ip/address.ts";
import { serviceKeyOf } from "../../../src/model/service-reference.ts";
import { ownersOf } from "../../../src/placement/owner-assignment.ts";
import type { Claim } from "../../allocate/claim/claim.ts";
import { evaluateNodes } from "../../owners/evaluate-nodes.ts";
import type { AddressPart } from "./explanation.ts";
import type { ServiceInput } from "./input.ts";

/** An address with its claim, who announces it, and why each node may or may not. */
export function explainClaim(
  { address, name, pool, forwarding, node: ownNode, services }: Claim,
  { virtualIps, candidates }: Pick<ServiceInput, "virtualIps" | "candidates">,
): AddressPart {
  const object = virtualIps.get(name);
  const { node, interfaces = [], mac, since, cause, conditions = [] } = object?.status ?? {};
  return {
    address: formatAddress(address),
    pool,
    forwarding:
      forwarding === undefined
        ? undefined
        : { mode: forwarding.mode, from: forwarding.reserved ? `VirtualIP ${name}` : `IPAddressPool ${pool ?? ""}` },
    node: ownNode,
    virtualIp: object?.metadata.name,
    services: services.map(serviceKeyOf),
    owners: object === undefined ? [] : ownersOf(object).owners,
    pinnedTo: object?.metadata.annotations[nodeAnnotation],
    // A dead speaker cannot remove what it has written.
    announcedBy: node !== undefined && candidates.live.has(node) ? node : undefined,
    interfaces,
    mac,
    since,
    cause,
    nodes: ownNode === undefined ? evaluateNodes(candidates, { address, pool, services }) : [],
    conditions: conditions.map(({ type, status, reason, message }) => ({ type, status, reason, message })),
  };
}
