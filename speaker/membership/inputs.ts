import type { Claim, Message } from "../../src/heartbeat/messages.ts";
import type { Health, LeaveIntent, MembershipPeer, MembershipStake } from "./stake.ts";

/** What a connection to the kubelet of a node has shown. */
export type ProgramsAnswer =
  /** It sent something: programs run there. */
  | "answered"
  /** Its kernel accepted the connection, and no program said anything. */
  | "silent"
  /** No connection could be made, for example because the kubelet is not running, or a firewall blocks it. */
  | "unknown";

/** What Membership learns, and from where. A fake of it shows a caller's tests what was passed. All times are monotonic milliseconds. */
export interface MembershipInputs {
  /** All nodes that send heartbeats, in any order, with or without the own node. Replaces what was set before. */
  setPeers(peers: readonly MembershipPeer[]): void;
  setStake(stake: MembershipStake): void;
  /**
   * Claims of the process before this one, by address, if it ended a moment ago with the intent to restart: they are used again where none is
   * better. Before or after the stakes in these addresses.
   */
  resume(claims: ReadonlyMap<string, Claim>): void;
  /** The address is withdrawn, whatever other nodes do. */
  removeStake(address: string): void;
  setHealth(health: Health): void;
  /** A message from another node, which the channel has authenticated. */
  receive(from: string, message: Message, nowMs: number): void;
  /** A frame of a device other than a peer arrived from a LAN. */
  lanHeard(nowMs: number): void;
  gatewayAnswered(nowMs: number): void;
  /** The kernel of the node answered ARP or NDP. */
  nodeAnswered(node: string, nowMs: number): void;
  /** The node answered for an address that it announces, after `askAnnounced`. */
  announcementAnswered(node: string, nowMs: number): void;
  /** What the connection has shown that `askPrograms` required at that time. */
  programsAnswered(node: string, askedMs: number, answer: ProgramsAnswer, nowMs: number): void;
  leave(intent: LeaveIntent, nowMs: number): void;
  /** Begins a turn: does what is due, and detects that the thread did not run for a while. */
  advance(nowMs: number): void;
}
