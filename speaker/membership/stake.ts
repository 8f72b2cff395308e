import type { IpFamily } from "../../src/ip/address.ts";

/** An address that this node may announce, as the VirtualIP says it. One for each address; a later one replaces an earlier one. */
export interface MembershipStake {
  /** Canonical text of the address (`formatAddress`). */
  readonly address: string;
  readonly family: IpFamily;
  /**
   * Names of nodes in order of preference. This node may be missing: it was an owner, still announces the address, and continues until
   * another node does.
   */
  readonly owners: readonly string[];
  /**
   * When the VirtualIP was created, in seconds since 1970 (`metadata.creationTimestamp`). The terms of a VirtualIP that was deleted and
   * created again under the same name begin again; this tells the two apart.
   */
  readonly createdSeconds: number;
  /** The term of the list of owners (`ownersTermOf`): it rises with each list. */
  readonly term: number;
  /** This node can serve the address now: the kernel has its rules, and an interface on its LAN is up. Otherwise it is withdrawn at once. */
  readonly armed: boolean;
  /**
   * The node that `status.node` names; undefined: none. A hint only: that node also hears of the claims of this node, should the owner
   * lists have no node in common.
   */
  readonly announcedBy?: string | undefined;
}

/** Whether this node can deliver what arrives for addresses of each family. Other nodes take over what it cannot deliver. */
export interface Health {
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

/** The health in one family. */
export function isHealthyIn(family: IpFamily, { ipv4, ipv6 }: Health): boolean {
  return family === "IPv4" ? ipv4 : ipv6;
}

/** A node whose speaker sends heartbeats, as its SpeakerIdentity says. */
export interface MembershipPeer {
  readonly node: string;
  /** It is on a LAN of this node, so that its kernel answers ARP or NDP for the address that it receives heartbeats at. */
  readonly onLan: boolean;
}

/** Why a speaker stops. */
export type LeaveIntent =
  /** It comes back within seconds: other nodes leave its addresses alone for that time, although it does not answer. */
  | "restart"
  /** It does not come back: the next owners announce its addresses before it stops. */
  | "leave";
