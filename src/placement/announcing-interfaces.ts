import type { IpAddress, IpFamily } from "../ip/address.ts";
import { isLan, isOnLan } from "../ip/lan.ts";
import type { IpRange } from "../ip/range.ts";
import type { CannotServe } from "./cannot-serve.ts";
import { isLiteral, matchesAnyGlob } from "./glob.ts";

/** An interface of a node, with what decides whether an address can be announced from it. */
export interface AnnouncingInterface {
  readonly name: string;
  /** Whether it has a carrier. */
  readonly up: boolean;
  /** The subnets of its addresses. */
  readonly subnets: readonly IpRange[];
  /** Families that it cannot serve, because the node drops the requests. Missing: none. */
  readonly cannotServe?: readonly CannotServe[];
}

/** Whether requests for addresses of the family that arrive at the interface are not dropped by the node. */
export function servesFamily(
  { cannotServe = [] }: Pick<AnnouncingInterface, "cannotServe">,
  family: IpFamily,
): boolean {
  return !cannotServe.some((entry) => entry.family === family);
}

/**
 * The interfaces that a node may announce an address from: those that are up, whose name a pattern matches (none: any name), and that are on
 * the LAN of the address. If there is none, those that a pattern without `*` and `?` names and that are not on any LAN of this family:
 * a VLAN interface without addresses, or one with a single address (/32, /128), may be on any LAN, and only the user knows. The
 * controller and the speakers use this one function, so that a node is an owner exactly if it can announce. Whether an interface serves the
 * family is not decided here: it is a preference, see `servesFamily`.
 */
export function announcingInterfaces<Interface extends AnnouncingInterface>(
  interfaces: readonly Interface[],
  address: IpAddress,
  patterns: readonly string[],
): readonly Interface[] {
  const allowed = interfaces.filter(({ name, up }) => up && matchesAnyGlob(patterns, name));
  const onLan = allowed.filter(({ subnets }) => isOnLan(subnets, address));
  if (onLan.length > 0) return onLan;
  const names = patterns.filter(isLiteral);
  return allowed.filter(
    ({ name, subnets }) =>
      names.includes(name) && !subnets.some((subnet) => subnet.family === address.family && isLan(subnet)),
  );
}
