import { Directory } from "./directory.ts";
import type { OwnState } from "./own-state.ts";
import { PeerState } from "./peer-state.ts";
import { Timers } from "./timers.ts";

/** With so few peers those on the rings are as close as the others. */
const fewPeers = 8;

/** More heartbeats than these are not sent, however many peers there are: they become rarer instead. */
const maxHeartbeatsPerSecond = 400;

/** The other nodes, and when each is sent a heartbeat. */
export class Peers {
  readonly #own: OwnState;
  readonly #concerned: (state: PeerState) => void;
  #directory: Directory;
  readonly #states = new Map<string, PeerState>();
  readonly #beats = new Timers<PeerState>();
  /** Those that receive heartbeats. */
  readonly #active = new Set<PeerState>();

  /** `concerned`: a stake concerns the peer from now on, and none did before. */
  constructor(own: OwnState, concerned: (state: PeerState) => void) {
    this.#own = own;
    this.#concerned = concerned;
    this.#directory = new Directory([], own.node);
  }

  /** Those that receive heartbeats. */
  get active(): ReadonlySet<PeerState> {
    return this.#active;
  }

  get all(): Iterable<PeerState> {
    return this.#states.values();
  }

  get nextBeatMs(): number {
    return this.#beats.nextMs;
  }

  setDirectory(directory: Directory): void {
    this.#directory = directory;
    const neighbours = directory.neighboursOf(this.#own.node);
    for (const node of neighbours) this.ensure(node);
    for (const state of this.#states.values()) {
      this.#look(state);
      state.isNeighbour = neighbours.has(state.node);
      this.update(state);
    }
  }

  isInDirectory(node: string): boolean {
    return node !== this.#own.node && this.#directory.get(node) !== undefined;
  }

  /** The nodes that watch this one because they are next to it on a ring. */
  neighboursOf(node: string): ReadonlySet<string> {
    return this.#directory.neighboursOf(node);
  }

  get(node: string): PeerState | undefined {
    return this.#states.get(node);
  }

  ensure(node: string): PeerState {
    const known = this.#states.get(node);
    if (known !== undefined) return known;
    const state = new PeerState(node);
    this.#look(state);
    this.#states.set(node, state);
    return state;
  }

  /** Counts the stakes that concern the node. */
  addStake(node: string): void {
    const state = this.ensure(node);
    state.stakes += 1;
    if (state.stakes > 1) return;
    this.update(state);
    this.#concerned(state);
  }

  removeStake(node: string): void {
    const state = this.#states.get(node);
    if (state === undefined) return;
    state.stakes -= 1;
    if (state.stakes === 0) this.update(state);
  }

  /** Begins or ends heartbeats to the peer, after something about it has changed. */
  update(state: PeerState): void {
    const { nowMs } = this.#own;
    if (state.isInDirectory && (state.isOfInterest || state.neededUntilMs > nowMs)) {
      if (!this.#active.has(state)) {
        this.#active.add(state);
        this.#beats.set(state, nowMs);
      }
      return;
    }
    this.#active.delete(state);
    this.#beats.delete(state);
  }

  /** The peers whose heartbeats are due. Each has none after this one, until `restartInterval`. */
  *takeDueBeats(): Iterable<PeerState> {
    for (const state of this.#beats.takeAllDue(this.#own.nowMs)) {
      this.update(state);
      if (this.#active.has(state)) yield state;
    }
  }

  /** A heartbeat is sent now. */
  restartInterval(state: PeerState): void {
    if (this.#active.has(state)) this.#beats.set(state, this.#own.nowMs + this.intervalTo(state));
  }

  /** In ms; at which this node sends heartbeats to the peer. */
  intervalTo(state: PeerState): number {
    const { timing, nowMs } = this.#own;
    const paceMs = Math.max(timing.heartbeatMs, (this.#active.size * 1000) / maxHeartbeatsPerSecond);
    if (state.stakes > 0 || this.#active.size <= fewPeers) return paceMs;
    const needsMs = state.neededUntilMs > nowMs ? state.intervalMs(timing.ringHeartbeatMs) : timing.ringHeartbeatMs;
    return Math.max(paceMs, Math.min(needsMs, timing.ringHeartbeatMs));
  }

  forget(state: PeerState): void {
    this.#active.delete(state);
    this.#beats.delete(state);
    this.#states.delete(state.node);
  }

  #look(state: PeerState): void {
    const entry = this.#directory.get(state.node);
    state.isInDirectory = entry !== undefined;
    state.onLan = entry?.onLan === true;
  }
}
