import { leaderLeaseName } from "../../src/api/labels.ts";
import { formatAddress, type IpAddress, virtualIpName } from "../../src/ip/address.ts";
import { describeDeparture } from "../../src/model/departure.ts";
import { type Reason, reasonOf, startSentence } from "../../src/model/reason.ts";
import { serviceKeyOf } from "../../src/model/service-reference.ts";
import { type Claim, isInUse } from "../allocate/claim/claim.ts";
import { evaluateNodes } from "../owners/evaluate-nodes.ts";
import type { MovesInput } from "./moves-input.ts";

/** Why an address cannot be moved to the node. Pure. Undefined: it can, or is there. */
export function refuseMove(input: MovesInput, address: IpAddress, node: string): Reason | undefined {
  const claim = input.claims.get(virtualIpName(address));
  return refuseAnyMove(input, address, claim) ?? (claim === undefined ? undefined : refuseNode(input, claim, node));
}

/** Why the address cannot be moved to any node. */
function refuseAnyMove(input: MovesInput, address: IpAddress, claim: Claim | undefined): Reason | undefined {
  if (claim === undefined) return virtualIpAbsent(address);
  if (claim.node !== undefined) return nothingToMove(address, `It is the address of Node ${claim.node} itself.`);
  if (!isInUse(claim)) return nothingToMove(address, "No Service has it at the moment.");
  return controllerAbsent(input);
}

/** The address has no VirtualIP, so there is nothing to move or to show. */
export function virtualIpAbsent(address: IpAddress): Reason {
  return nothingToMove(address, "The VirtualIP does not exist.");
}

function nothingToMove(address: IpAddress, detail: string): Reason {
  const object = `VirtualIP ${virtualIpName(address)}`;
  return reasonOf("NothingToMove", { object, field: "spec.address", value: formatAddress(address), detail });
}

/** Without a controller nothing moves. */
export function controllerAbsent({ leader, namespace }: MovesInput): Reason | undefined {
  if (leader !== undefined) return undefined;
  const object = `Lease ${namespace}/${leaderLeaseName}`;
  return reasonOf("ControllerAbsent", { object, field: "spec.holderIdentity", value: "" });
}

function refuseNode({ candidates, localNodes }: MovesInput, claim: Claim, node: string): Reason | undefined {
  const results = evaluateNodes(candidates, claim);
  const result = results.find((one) => one.node === node);
  const refuse = (detail: string): Reason =>
    reasonOf("NodeCannotAnnounce", { object: `VirtualIP ${claim.name}`, field: "", value: node, detail });
  if (result === undefined) return refuse("The Node does not exist.");
  if (!result.eligible) return refuse(`${startSentence(result.reason)}.`);
  if (result.departure !== undefined) {
    return refuse(`Other nodes come first, because ${describeDeparture(result.departure)}.`);
  }
  const local = localNodes(claim.services);
  const others = results.filter((one) => one.eligible && local?.has(one.node));
  if (local === undefined || local.has(node) || others.length === 0) return undefined;
  const services = claim.services.map(serviceKeyOf).join(" and ");
  return refuse(
    `Service ${services} has externalTrafficPolicy Local, and no ready pod there. ${others.map((one) => one.node).join(", ")} may announce it and has one.`,
  );
}
