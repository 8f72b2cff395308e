import type { PacketSocket } from "../../src/packet-socket/packet-sockets.ts";
import type { ConflictPolicy } from "../../src/settings/speaker-settings.ts";
import type { MembershipInputs } from "../membership/inputs.ts";
import type { AnnouncedAddresses } from "./announced-addresses.ts";
import type { ResponderReport } from "./commands.ts";
import { ConflictDefence } from "./conflict-defence.ts";
import { ConflictReports } from "./conflict-reports.ts";
import type { Counters } from "./counters.ts";
import type { PeerAddress } from "./heartbeat-transport.ts";
import type { InterfaceResponder } from "./interface-responder.ts";
import type { LanProbes } from "./lan-probes.ts";
import type { ProbedStakes } from "./probed-stakes.ts";
import { respond } from "./respond.ts";

/** Longer than every ARP and NDP frame; a frame that is cut off is not one of these. */
const frameBufferLength = 2048;

/** How many frames of one socket are handled before the others and the commands get their turn. */
const framesPerTurn = 64;

/** Where the source address is in an Ethernet frame, in bytes. */
const sourceMacOffset = 6;
const sourceMacEnd = 12;

/** How often the kernel is asked how many frames it dropped: one system call for each socket. */
const countLostMs = 1000;

export interface FrameReceiverOptions {
  readonly membership: Pick<MembershipInputs, "lanHeard" | "gatewayAnswered" | "nodeAnswered" | "announcementAnswered">;
  readonly announced: AnnouncedAddresses;
  readonly stakes: ProbedStakes;
  readonly lanProbes: Pick<LanProbes, "answersIn">;
  readonly onConflict: ConflictPolicy;
  readonly counters: Counters;
  readonly report: (report: ResponderReport) => void;
}

/**
 * Receives frames: answers requests for the addresses that are announced, defends these against other devices, and notes what each frame says of
 * the LAN and of the devices on it.
 */
export class FrameReceiver {
  readonly #options: FrameReceiverOptions;
  readonly #conflicts: ConflictReports;
  readonly #defence: ConflictDefence;
  readonly #buffer = new Uint8Array(frameBufferLength);
  /** The other nodes by their hardware addresses. */
  #nodesByMac: ReadonlyMap<number, string> = new Map();
  #countLostAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: FrameReceiverOptions) {
    this.#options = options;
    this.#defence = new ConflictDefence(options.onConflict);
    this.#conflicts = new ConflictReports(options.report);
  }

  setPeers(peers: readonly Pick<PeerAddress, "node" | "macs">[]): void {
    this.#nodesByMac = new Map(peers.flatMap(({ node, macs }) => macs.map((mac) => [macNumber(mac), node] as const)));
  }

  /** The address is no longer announced. */
  withdrawn(address: string): void {
    this.#defence.forget(address);
  }

  /**
   * Handles the frames that wait at the socket. In silence requests are counted, and not answered. Does nothing for a socket that is closed
   * already: what was decided since it became readable may have withdrawn the last address that needs it, and its number may be that of another.
   */
  receive(socket: PacketSocket, silent: boolean, nowMs: number): void {
    const { announced, counters } = this.#options;
    if (!announced.sockets.includes(socket)) return;
    const responder = announced.responder(socket.interfaceName);
    for (let count = 0; responder !== undefined && count < framesPerTurn; count++) {
      let length: number | undefined;
      try {
        length = socket.receive(this.#buffer);
      } catch (error) {
        counters.add("receiveErrors");
        announced.fail(responder.name, error);
        return;
      }
      if (length === undefined) return;
      const frame = this.#buffer.subarray(0, length);
      this.#note(frame, responder, nowMs);
      this.#answer(frame, responder, socket, silent, nowMs);
    }
  }

  /** Counts the frames that the kernel dropped, now and then. */
  countLost(nowMs: number): void {
    const { announced, counters } = this.#options;
    if (nowMs < this.#countLostAtMs) return;
    this.#countLostAtMs = nowMs + countLostMs;
    for (const socket of announced.sockets) {
      try {
        counters.add("lostFrames", socket.takeLost());
      } catch (error) {
        announced.fail(socket.interfaceName, error);
      }
    }
  }

  #note(frame: Uint8Array, responder: InterfaceResponder, nowMs: number): void {
    const { membership, lanProbes, stakes } = this.#options;
    const source = frame.subarray(sourceMacOffset, sourceMacEnd);
    if (responder.isOurs(source)) return;
    const sender = this.#nodesByMac.get(macNumber(source));
    if (sender === undefined) membership.lanHeard(nowMs);
    for (const answer of lanProbes.answersIn(frame, nowMs)) {
      if (answer.kind === "gateway") membership.gatewayAnswered(nowMs);
      if (answer.kind === "node") membership.nodeAnswered(answer.node, nowMs);
      // Another device may answer for the address, too.
      if (answer.kind === "announcement" && answer.node === sender) membership.announcementAnswered(answer.node, nowMs);
    }
    stakes.probes.receive(frame, { interfaceName: responder.name, mac: source }, sender !== undefined);
  }

  #answer(
    frame: Uint8Array,
    responder: InterfaceResponder,
    socket: PacketSocket,
    silent: boolean,
    nowMs: number,
  ): void {
    const { announced, counters } = this.#options;
    const answer = respond(frame, responder);
    if (typeof answer === "string") {
      counters.add(answer === "malformed" ? "malformedFrames" : "unrelatedFrames");
      return;
    }
    if (answer.kind === "conflict") {
      counters.add("conflicts");
      this.#conflicts.report(responder.name, answer.address, answer.mac, nowMs);
      if (!silent) this.#defend(responder, answer.address, answer.mac, nowMs);
      return;
    }
    counters.add(answer.protocol === "arp" ? "arpRequests" : "ndpSolicitations");
    if (silent) {
      counters.add("silencedFrames");
      return;
    }
    if (announced.send(socket, answer.frame))
      counters.add(answer.protocol === "arp" ? "arpReplies" : "ndpAdvertisements");
  }

  /** For a moment two speakers may announce an address that moves, or longer: that is left to the membership. */
  #defend(responder: InterfaceResponder, bytes: Uint8Array, mac: Uint8Array, nowMs: number): void {
    const { announced, stakes } = this.#options;
    const stake = stakes.get(announced.textOf(bytes) ?? "");
    if (stake === undefined || this.#nodesByMac.has(macNumber(mac))) return;
    // It was the late answer to a probe, and the address is about to be withdrawn.
    if (!stakes.probes.allows(stake.address)) return;
    const defence = this.#defence.observe(stake.address, nowMs);
    if (defence === "announce") announced.defend(responder, bytes);
    if (defence === "withdraw")
      stakes.probes.yield(stake, { interfaceName: responder.name, mac: Uint8Array.from(mac) });
  }
}

/** The 48 bits as a number: cheaper to look up than a text. */
function macNumber(mac: Uint8Array): number {
  let value = 0;
  for (const byte of mac) value = value * 256 + byte;
  return value;
}
