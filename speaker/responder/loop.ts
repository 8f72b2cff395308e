import type { PacketSocket, PacketSockets } from "../../src/packet-socket/packet-sockets.ts";
import type { ConflictPolicy } from "../../src/settings/speaker-settings.ts";
import type { UdpSocket } from "../../src/udp-socket/udp-sockets.ts";
import type { Effect, Fact } from "../membership/effects.ts";
import type { Hearing } from "../membership/hearing.ts";
import type { MembershipInputs } from "../membership/inputs.ts";
import type { Health } from "../membership/stake.ts";
import { AnnouncedAddresses } from "./announced-addresses.ts";
import type { ResponderCommand, ResponderReport } from "./commands.ts";
import type { Counters } from "./counters.ts";
import { FrameReceiver } from "./frame-receiver.ts";
import { HearingReports } from "./hearing-reports.ts";
import type { HeartbeatTransport } from "./heartbeat-transport.ts";
import { probesOf } from "./lan-probe.ts";
import { LanProbes } from "./lan-probes.ts";
import type { MainThreadWatchdog } from "./main-thread-watchdog.ts";
import { ProbedStakes } from "./probed-stakes.ts";

/** The longest sleep: the thread notices at most this late that it has to stop or that the main thread has fallen silent. */
const longestSleepMs = 1000;

/** What decides which addresses are announced. */
export interface Decisions extends MembershipInputs {
  /** When `advance` has something to do; Infinity: never. */
  readonly nextDueMs: number;
  /** Costs as much as there are peers. */
  readonly hearing: Hearing;
  /** What is to be done since the last call, in order. Ends the turn. */
  take(): readonly Effect[];
}

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
  readonly #stakes: ProbedStakes;
  readonly #frames: FrameReceiver;
  readonly #hearing: HearingReports;
  #health: Health = { ipv4: true, ipv6: true };
  /** The thread did not run for a while, and the membership finds out what has happened meanwhile. */
  #paused = false;
  /** Whether there were commands since the last turn. */
  #hasCommands = false;
  #mainThreadAlive = true;
  /** Not reported yet. */
  #facts: Fact[] = [];
  #stopped = false;

  constructor(options: ResponderLoopOptions) {
    this.#options = options;
    const { membership, onConflict, packetSockets, now, random, counters, report } = options;
    this.#membership = membership;
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
    const announced = this.#announced;
    const lanProbes = new LanProbes((probe, to) => announced.ask(probe, to));
    const stakes = new ProbedStakes({ membership, announced, now, report });
    this.#lanProbes = lanProbes;
    this.#stakes = stakes;
    this.#frames = new FrameReceiver({ membership, announced, stakes, lanProbes, onConflict, counters, report });
    this.#hearing = new HearingReports(membership, report);
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
        this.#stakes.set(command.stake, command.probe);
        break;
      case "resume":
        this.#membership.resume(command.claims);
        break;
      case "removeStake":
        this.#stakes.remove(command.address);
        break;
      case "setHealth":
        this.#health = command.health;
        this.#setHealth();
        break;
      case "setPeers": {
        const { peers, probes } = command;
        this.#transport.setPeers(peers, nowMs);
        this.#lanProbes.set(probes, new Map(peers.map(({ node, macs }) => [node, macs])));
        this.#frames.setPeers(peers);
        this.#membership.setPeers(peers.map(({ node }) => ({ node, onLan: probes.nodes.has(node) })));
        break;
      }
      case "setKeys":
        this.#transport.setKeys(command.cluster, command.keys, nowMs);
        break;
      case "programsAnswered":
        this.#membership.programsAnswered(command.node, command.askedMs, command.answer, nowMs);
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
    this.#stakes.probes.advance();
    this.#carryOut(nowMs);
    for (const socket of readable) if (isPacketSocket(socket)) this.#frames.receive(socket, this.#silent, nowMs);
    this.#carryOut(nowMs);
    this.#frames.countLost(nowMs);
    this.#hearing.report(nowMs);
    this.#announced.sendDue(this.#silent);
    this.#reportFacts();
    counters.add("turns");
  }

  #untilDueMs(): number {
    const { now } = this.#options;
    const dueMs = Math.min(this.#announced.nextDueMs, this.#membership.nextDueMs, this.#stakes.probes.nextDueMs);
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
        this.#announced.announce(stake);
        break;
      }
      case "withdraw":
        this.#frames.withdrawn(effect.address);
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
      case "findNode":
        this.#lanProbes.findNode(effect.node, nowMs);
        break;
      case "askAnnounced":
        for (const address of effect.addresses) this.#askAnnounced(effect.node, address, nowMs);
        break;
      case "askPrograms":
        this.#options.report(effect);
        break;
      case "fact":
        this.#facts.push(effect.fact);
        if (effect.fact.kind === "peerDown" || effect.fact.kind === "peerUp") this.#hearing.hasten();
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
}

function isPacketSocket(socket: PacketSocket | UdpSocket): socket is PacketSocket {
  return "interfaceName" in socket;
}
