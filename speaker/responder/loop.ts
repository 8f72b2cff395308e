import type { PacketSocket, PacketSockets } from "../../src/packet-socket/packet-sockets.ts";
import type { ConflictPolicy } from "../../src/settings/speaker-settings.ts";
import type { UdpSocket } from "../../src/udp-socket/udp-sockets.ts";
import type { Effect, Fact } from "../membership/effects.ts";
import type { MembershipInputs } from "../membership/inputs.ts";
import type { Hearing } from "../membership/membership.ts";
import type { Health } from "../membership/stake.ts";
import { AddressProbes, type ProbeCause } from "./address-probes.ts";
import { AnnouncedAddresses } from "./announced-addresses.ts";
import type { ResponderCommand, ResponderReport } from "./commands.ts";
import { ConflictDefence } from "./conflict-defence.ts";
import { ConflictReports } from "./conflict-reports.ts";
import type { Counters } from "./counters.ts";
import type { HeartbeatTransport } from "./heartbeat-transport.ts";
import type { InterfaceResponder } from "./interface-responder.ts";
import type { LanProbe } from "./lan-probe.ts";
import { LanProbes } from "./lan-probes.ts";
import type { MainThreadWatchdog } from "./main-thread-watchdog.ts";
import { respond } from "./respond.ts";
import type { Stake } from "./stake.ts";

/** Longer than every ARP and NDP frame; a frame that is cut off is not one of these. */
const frameBufferLength = 2048;

/** How many frames of one socket are handled before the others and the commands get their turn. */
const framesPerTurn = 64;

/** The longest sleep: the thread notices at most this late that it has to stop or that the main thread has fallen silent. */
const longestSleepMs = 1000;

/** Where the source address is in an Ethernet frame, in bytes. */
const sourceMacOffset = 6;
const sourceMacEnd = 12;

/** How often the kernel is asked how many frames it dropped: one system call for each socket. */
const countLostMs = 1000;

/** What decides which addresses are announced. */
export interface Decisions extends MembershipInputs {
  /** When `advance` has something to do; Infinity: never. */
  readonly nextDueMs: number;
  /** Costs as much as there are peers. */
  readonly hearing: Hearing;
  /** What is to be done since the last call, in order. Ends the turn. */
  take(): readonly Effect[];
}

/** How often it is reported which peers are heard, if others are than before. At once when one dies. */
const reportHearingMs = 1000;

export interface ResponderLoopOptions {
  readonly membership: Decisions;
  readonly transport: HeartbeatTransport;
  readonly onConflict: ConflictPolicy;
  readonly packetSockets: PacketSockets;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly counters: Counters;
  readonly watchdog: Pick<MainThreadWatchdog, "alive">;
  readonly report: (report: ResponderReport) => void;
}

const unhealthy: Health = { ipv4: false, ipv6: false };

/**
 * All of the responder thread, without the thread: passes what arrives to the membership, carries out what it decides, and answers requests for
 * the addresses that are announced.
 */
export class ResponderLoop {
  readonly #options: ResponderLoopOptions;
  readonly #membership: Decisions;
  readonly #transport: HeartbeatTransport;
  readonly #announced: AnnouncedAddresses;
  readonly #lanProbes: LanProbes;
  readonly #addressProbes: AddressProbes;
  readonly #conflicts: ConflictReports;
  readonly #defence: ConflictDefence;
  readonly #stakes = new Map<string, Stake>();
  readonly #holding = new Set<string>();
  readonly #buffer = new Uint8Array(frameBufferLength);
  /** The other nodes by their hardware addresses. */
  #nodesByMac: ReadonlyMap<number, string> = new Map();
  #health: Health = { ipv4: true, ipv6: true };
  /** The thread did not run for a while, and the membership finds out what has happened meanwhile. */
  #paused = false;
  /** Whether there were commands since the last turn. */
  #hasCommands = false;
  #mainThreadAlive = true;
  /** Not reported yet. */
  #facts: Fact[] = [];
  #stopped = false;
  #countLostAtMs = Number.NEGATIVE_INFINITY;
  #reportHearingAtMs = Number.NEGATIVE_INFINITY;
  #hearingText = " ";

  constructor(options: ResponderLoopOptions) {
    this.#options = options;
    const { packetSockets, now, random, counters, report } = options;
    this.#membership = options.membership;
    this.#transport = options.transport;
    this.#announced = new AnnouncedAddresses({
      packetSockets,
      now,
      random,
      counters,
      failed(name, error) {
        const reason = error instanceof Error ? error.message : String(error);
        report({ kind: "interfaceFailed", name, reason });
      },
    });
    this.#lanProbes = new LanProbes((probe) => this.#announced.ask(probe));
    this.#addressProbes = new AddressProbes({
      now,
      ask: (stake) => this.#askAbout(stake),
      used: (address, by) => report({ kind: "addressUsed", address, by }),
      changed: (address) => this.#setMembershipStake(address),
    });
    this.#defence = new ConflictDefence(options.onConflict);
    this.#conflicts = new ConflictReports(report);
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Takes one command; the next turn decides what follows from it. Never throws: what the kernel refuses is reported as `interfaceFailed`. */
  apply(command: ResponderCommand): void {
    const nowMs = this.#options.now();
    switch (command.kind) {
      case "setInterface":
        this.#announced.setInterface(command);
        break;
      case "removeInterface":
        this.#announced.removeInterface(command.name);
        break;
      case "setStake":
        this.#setStake(command.stake, command.probe);
        break;
      case "removeStake":
        this.#addressProbes.remove(command.address);
        this.#membership.removeStake(command.address);
        this.#stakes.delete(command.address);
        break;
      case "setHealth":
        this.#health = command.health;
        this.#setHealth();
        break;
      case "setPeers": {
        const { peers, probes } = command;
        this.#transport.setPeers(peers, nowMs);
        this.#lanProbes.set(probes);
        this.#nodesByMac = new Map(
          peers.flatMap(({ node, macs }) => macs.map((mac) => [macNumber(mac), node] as const)),
        );
        this.#membership.setPeers(peers.map(({ node }) => ({ node, onLan: probes.nodes.has(node) })));
        break;
      }
      case "setKeys":
        this.#transport.setKeys(command.cluster, command.keys, nowMs);
        break;
      case "leave":
        this.#membership.leave(command.intent, nowMs);
        break;
      case "stop":
        this.#stopped = true;
        this.#announced.close();
        this.#transport.close();
        return;
    }
    this.#hasCommands = true;
  }

  /** Waits until something arrives or is due, and does what follows from it. */
  turn(): void {
    const { now, packetSockets, counters } = this.#options;
    // What many commands cause together is decided once.
    if (this.#hasCommands) this.#carryOut(now());
    this.#hasCommands = false;
    this.#reportFacts();
    const sockets: (PacketSocket | UdpSocket)[] = [...this.#announced.sockets, ...this.#transport.sockets];
    const readable = packetSockets.wait(sockets, this.#untilDueMs());
    const nowMs = now();
    // First of all: after a while in which the thread did not run, other nodes may have taken over, and nothing is answered.
    this.#membership.advance(nowMs);
    this.#watchMainThread();
    this.#transport.open(nowMs);
    for (const socket of readable) if (!isPacketSocket(socket)) this.#receive(socket, nowMs);
    this.#addressProbes.advance();
    this.#carryOut(nowMs);
    for (const socket of readable) if (isPacketSocket(socket)) this.#drain(socket, nowMs);
    this.#carryOut(nowMs);
    this.#countLost(nowMs);
    this.#reportHearing(nowMs);
    this.#announced.sendDue(this.#silent);
    this.#reportFacts();
    counters.add("turns");
  }

  #untilDueMs(): number {
    const { now } = this.#options;
    const dueMs = Math.min(this.#announced.nextDueMs, this.#membership.nextDueMs, this.#addressProbes.nextDueMs);
    return Math.ceil(Math.min(Math.max(0, dueMs - now()), longestSleepMs));
  }

  get #silent(): boolean {
    return this.#paused || !this.#mainThreadAlive;
  }

  /** A node whose main thread is gone must not keep its addresses from other nodes. */
  #watchMainThread(): void {
    const alive = this.#options.watchdog.alive();
    if (alive === this.#mainThreadAlive) return;
    this.#mainThreadAlive = alive;
    this.#setHealth();
  }

  #setHealth(): void {
    this.#membership.setHealth(this.#mainThreadAlive ? this.#health : unhealthy);
  }

  #setStake(stake: Stake, probe: ProbeCause | undefined): void {
    const { address } = stake;
    const announced = this.#holding.has(address);
    this.#stakes.set(address, stake);
    if (announced) this.#announced.announce(stake);
    this.#addressProbes.setStake(stake, probe, announced);
    this.#setMembershipStake(address);
  }

  /** A stake in an address that another device has, or may have, counts as not armed. */
  #setMembershipStake(address: string): void {
    const stake = this.#stakes.get(address);
    if (stake === undefined) return;
    this.#membership.setStake(this.#addressProbes.allows(address) ? stake : { ...stake, armed: false });
  }

  #askAbout(stake: Stake): boolean {
    return probesOf(stake).every((probe) => this.#announced.ask(probe));
  }

  #receive(socket: UdpSocket, nowMs: number): void {
    this.#transport.receive(socket, nowMs, (from, message) => this.#membership.receive(from, message, nowMs));
  }

  #carryOut(nowMs: number): void {
    for (const effect of this.#membership.take()) this.#carryOutOne(effect, nowMs);
  }

  #carryOutOne(effect: Effect, nowMs: number): void {
    switch (effect.kind) {
      case "send":
        this.#transport.send(effect.to, effect.message, nowMs);
        break;
      case "announce": {
        const stake = this.#stakes.get(effect.address);
        if (stake === undefined) break;
        this.#holding.add(effect.address);
        this.#announced.announce(stake);
        break;
      }
      case "withdraw":
        this.#holding.delete(effect.address);
        this.#defence.forget(effect.address);
        this.#announced.withdraw(effect.address);
        break;
      case "repeat":
        this.#announced.announceAgain(effect.address);
        break;
      case "pause":
        this.#paused = true;
        break;
      case "resume":
        this.#paused = false;
        break;
      case "askGateway":
        this.#lanProbes.askGateways(nowMs);
        break;
      case "askNode":
        this.#lanProbes.askNode(effect.node, nowMs);
        break;
      case "askAnnounced":
        for (const address of effect.addresses) this.#askAnnounced(effect.node, address, nowMs);
        break;
      case "fact":
        this.#facts.push(effect.fact);
        if (effect.fact.kind === "peerDown" || effect.fact.kind === "peerUp") this.#reportHearingAtMs = nowMs;
    }
  }

  #askAnnounced(node: string, address: string, nowMs: number): void {
    const stake = this.#stakes.get(address);
    if (stake === undefined) return;
    for (const probe of probesOf(stake)) this.#lanProbes.askAnnounced(node, probe, nowMs);
  }

  #reportFacts(): void {
    if (this.#facts.length === 0) return;
    this.#options.report({ kind: "facts", facts: this.#facts });
    this.#facts = [];
  }

  #drain(socket: PacketSocket, nowMs: number): void {
    const responder = this.#announced.responder(socket.interfaceName);
    for (let count = 0; responder !== undefined && count < framesPerTurn; count++) {
      let length: number | undefined;
      try {
        length = socket.receive(this.#buffer);
      } catch (error) {
        this.#options.counters.add("receiveErrors");
        this.#announced.fail(responder.name, error);
        return;
      }
      if (length === undefined) return;
      const frame = this.#buffer.subarray(0, length);
      this.#noteFrame(frame, responder, nowMs);
      this.#answer(frame, responder, socket, nowMs);
    }
  }

  /** What the frame says of the LAN and of the devices on it. */
  #noteFrame(frame: Uint8Array, responder: InterfaceResponder, nowMs: number): void {
    const source = frame.subarray(sourceMacOffset, sourceMacEnd);
    if (responder.isOurs(source)) return;
    const sender = this.#nodesByMac.get(macNumber(source));
    if (sender === undefined) this.#membership.lanHeard(nowMs);
    const answer = this.#lanProbes.answerIn(frame, nowMs);
    if (answer?.kind === "gateway") this.#membership.gatewayAnswered(nowMs);
    if (answer?.kind === "node") this.#membership.nodeAnswered(answer.node, nowMs);
    // Another device may answer for the address, too.
    if (answer?.kind === "announcement" && answer.node === sender)
      this.#membership.announcementAnswered(answer.node, nowMs);
    const by = { interfaceName: responder.name, mac: source };
    this.#addressProbes.receive(frame, by, sender !== undefined);
  }

  #answer(frame: Uint8Array, responder: InterfaceResponder, socket: PacketSocket, nowMs: number): void {
    const { counters } = this.#options;
    const answer = respond(frame, responder);
    if (typeof answer === "string") {
      counters.add(answer === "malformed" ? "malformedFrames" : "unrelatedFrames");
      return;
    }
    if (answer.kind === "conflict") {
      counters.add("conflicts");
      this.#conflicts.report(responder.name, answer.address, answer.mac, nowMs);
      this.#defend(responder, answer.address, answer.mac, nowMs);
      return;
    }
    counters.add(answer.protocol === "arp" ? "arpRequests" : "ndpSolicitations");
    if (this.#silent) {
      counters.add("silencedFrames");
      return;
    }
    if (this.#announced.send(socket, answer.frame))
      counters.add(answer.protocol === "arp" ? "arpReplies" : "ndpAdvertisements");
  }

  #reportHearing(nowMs: number): void {
    if (nowMs < this.#reportHearingAtMs) return;
    this.#reportHearingAtMs = nowMs + reportHearingMs;
    const { heard, lost } = this.#membership.hearing;
    const text = `${heard.join()} ${lost.join()}`;
    if (text === this.#hearingText) return;
    this.#hearingText = text;
    this.#options.report({ kind: "hearing", hearing: { heard, lost } });
  }

  /** For a moment two speakers may announce an address that moves, or longer: that is left to the membership. */
  #defend(responder: InterfaceResponder, bytes: Uint8Array, mac: Uint8Array, nowMs: number): void {
    const stake = this.#stakes.get(this.#announced.textOf(bytes) ?? "");
    if (stake === undefined || this.#silent || this.#isPeer(mac)) return;
    const defence = this.#defence.observe(stake.address, nowMs);
    if (defence === "announce") this.#announced.defend(responder, bytes);
    if (defence === "withdraw")
      this.#addressProbes.yield(stake, { interfaceName: responder.name, mac: Uint8Array.from(mac) });
  }

  #isPeer(mac: Uint8Array): boolean {
    return this.#nodesByMac.has(macNumber(mac));
  }

  #countLost(nowMs: number): void {
    const { counters } = this.#options;
    if (nowMs < this.#countLostAtMs) return;
    this.#countLostAtMs = nowMs + countLostMs;
    for (const socket of this.#announced.sockets) {
      try {
        counters.add("lostFrames", socket.takeLost());
      } catch (error) {
        this.#announced.fail(socket.interfaceName, error);
      }
    }
  }
}

/** How the LAN is asked about the address of the stake, on each of its interfaces. */
function probesOf({ bytes, interfaces }: Stake): readonly LanProbe[] {
  return interfaces.map((interfaceName) => ({ interfaceName, target: bytes, source: new Uint8Array(bytes.length) }));
}

/** The 48 bits as a number: cheaper to look up than a text. */
function macNumber(mac: Uint8Array): number {
  let value = 0;
  for (const byte of mac) value = value * 256 + byte;
  return value;
}

function isPacketSocket(socket: PacketSocket | UdpSocket): socket is PacketSocket {
  return "interfaceName" in socket;
}
