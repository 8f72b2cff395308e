import type { PacketHeader } from "./packet-header.ts";

/**
 * An echo is fresh if it names a packet that was sent at most half of this ago, and it may be until half as long again. No packet is accepted that
 * is older than that. By default long enough where a packet is sent to each peer twice a second.
 */
export const defaultFreshMs = 3_000;
/** Times freshMs. While a session that ended can have fresh echoes, its packets are refused by its number. */
const retiredFactor = 2;
/** At most this many: a process needs longer to start than this allows. */
const maxRetired = 8;
/** How far behind the newest packet another one may arrive. */
const windowLength = 32;

/**
 * `accepted`: not seen before, sent recently by the process that the peer runs. `replayed`: received before, or of a session that ended. `stale`: of
 * this session, but the peer has not received anything from us for some seconds. `unproven`: of another session, and it does not prove that it
 * is not a recording: the peer has to echo a recent packet of ours first.
 */
export type Acceptance = "accepted" | "acceptedFirst" | "replayed" | "stale" | "unproven";

/**
 * What is remembered of the packets from and to one peer, so that none is accepted twice or long after it was sent. A new session of the
 * peer is accepted only with a fresh echo of ours: recordings, of whichever session of either side, do not have one. Pure.
 */
export class PeerSession {
  readonly #ownSession: number;
  readonly #freshMs: number;
  /** Of our packets. */
  #sequence = 0;
  /** The sequence at the last two marks, which are half of freshMs apart. What was sent after the older one is fresh. */
  #olderMark = 0;
  #newerMark = 0;
  #markedAtMs = Number.NEGATIVE_INFINITY;
  /** The accepted session of the peer; 0: none. */
  #session = 0;
  #newest = 0;
  /** Bit n: the packet n before the newest was received. */
  #received = 0;
  /** The newest packet of another session, for the echo by which the peer can prove it. */
  #candidate: Echo = noEcho;
  readonly #retired = new Map<number, number>();

  constructor(ownSession: number, freshMs: number) {
    this.#ownSession = ownSession;
    this.#freshMs = freshMs;
  }

  /** The number of the last packet to the peer; 0: none was sent. */
  get sequence(): number {
    return this.#sequence;
  }

  /** The number of the next packet to the peer. */
  nextSequence(nowMs: number): number {
    this.#mark(nowMs);
    this.#sequence += 1;
    return this.#sequence;
  }

  /** What a packet to the peer echoes. `dropped`: it answers a packet that was unproven or stale. */
  echo(dropped: boolean): Echo {
    if (this.#session === 0 || (dropped && this.#candidate !== noEcho)) return this.#candidate;
    return { session: this.#session, sequence: this.#newest };
  }

  /** Decides about a packet whose tag was right. */
  receive(header: PacketHeader, nowMs: number): Acceptance {
    const { session, sequence } = header;
    this.#mark(nowMs);
    if (session === this.#session) {
      if (this.#wasReceived(sequence)) return "replayed";
      if (!this.#isFresh(header)) return this.#askForProof(header, "stale");
      this.#note(sequence);
      return "accepted";
    }
    if (nowMs < (this.#retired.get(session) ?? Number.NEGATIVE_INFINITY)) return "replayed";
    if (session === 0 || sequence === 0) return "replayed";
    if (!this.#isFresh(header)) return this.#askForProof(header, "unproven");
    this.#begin(session, sequence, nowMs);
    return "acceptedFirst";
  }

  #askForProof<Why extends Acceptance>({ session, sequence }: PacketHeader, why: Why): Why {
    const candidate = this.#candidate;
    if (session !== candidate.session || sequence > candidate.sequence) this.#candidate = { session, sequence };
    return why;
  }

  #begin(session: number, sequence: number, nowMs: number): void {
    if (this.#session !== 0) this.#retire(this.#session, nowMs);
    this.#retired.delete(session);
    this.#session = session;
    this.#newest = sequence;
    // Older ones may be recordings of what was received before.
    this.#received = -1;
    this.#candidate = noEcho;
  }

  #retire(session: number, nowMs: number): void {
    for (const [other, untilMs] of this.#retired) if (untilMs <= nowMs) this.#retired.delete(other);
    if (this.#retired.size >= maxRetired) {
      const [oldest = 0] = this.#retired.keys();
      this.#retired.delete(oldest);
    }
    this.#retired.set(session, nowMs + retiredFactor * this.#freshMs);
  }

  #isFresh({ echoSession, echoSequence }: PacketHeader): boolean {
    return echoSession === this.#ownSession && echoSequence > this.#olderMark && echoSequence <= this.#sequence;
  }

  #wasReceived(sequence: number): boolean {
    if (sequence > this.#newest) return false;
    const behind = this.#newest - sequence;
    return behind >= windowLength || ((this.#received >>> behind) & 1) === 1;
  }

  #note(sequence: number): void {
    const ahead = sequence - this.#newest;
    if (ahead <= 0) this.#received |= 1 << -ahead;
    else {
      this.#received = ahead >= windowLength ? 1 : (this.#received << ahead) | 1;
      this.#newest = sequence;
    }
    if (this.#candidate.session === this.#session) this.#candidate = noEcho;
  }

  #mark(nowMs: number): void {
    const agoMs = nowMs - this.#markedAtMs;
    if (agoMs < this.#freshMs / 2) return;
    this.#olderMark = agoMs < this.#freshMs ? this.#newerMark : this.#sequence;
    this.#newerMark = this.#sequence;
    this.#markedAtMs = nowMs;
  }
}

/** A packet of the peer, as packets to it name it. */
export interface Echo {
  readonly session: number;
  readonly sequence: number;
}

const noEcho: Echo = { session: 0, sequence: 0 };
