/** Durations in ms that Membership works with. */
export interface Timing {
  /** Between two heartbeats to a peer that shares owner lists. */
  readonly heartbeatMs: number;
  /** Between two heartbeats to a peer that is only a neighbour on a ring, in large clusters. */
  readonly ringHeartbeatMs: number;
  /** While a peer is suspected: between two attempts to hear from it or about it. */
  readonly retryMs: number;
  /** For how long a suspected peer is questioned at least before it is dead: at least twice. */
  readonly questionMs: number;
  /**
   * A turn that begins so much later than it was due is late: a peer dies only so much later, when what had arrived is read, and a device on the
   * LAN would have answered what was asked in that turn.
   */
  readonly lateMs: number;
  /** How long a witness waits for a node before it says that it does not hear it. */
  readonly tryMs: number;
  /** How much longer than usual a death waits while no witness has answered. */
  readonly witnessMs: number;
  /**
   * After this silence a peer that last said that it does not hear this node is dead, where no gateway has ever answered: only a gateway could show
   * whether this node is heard. Longer than a Lease.
   */
  readonly unheardDeadMs: number;
  /** How long an owner waits for each better one before it takes an address that no node announces. */
  readonly takeMs: number;
  /** After the start: how long this node only listens, and at most while peers have not said everything. */
  readonly joinMs: number;
  readonly joinLimitMs: number;
  /** How long a node that should no longer announce an address waits for the one that should. */
  readonly moveLimitMs: number;
  /** The same where it could not hear that other one. */
  readonly unheardMoveMs: number;
  /** A longer time between two turns makes the claims of this node doubtful, for doubtMs or until its peers were heard. */
  readonly stallMs: number;
  readonly doubtMs: number;
  /** How long other nodes leave the addresses of a node that restarts alone. */
  readonly restartHoldMs: number;
  /** How long an owner that has just started leaves an address to the node that announced it before all of them stopped. */
  readonly returnMs: number;
  /** How long a node that leaves waits for its successors. */
  readonly leaveLimitMs: number;
  /** Between two attempts to have claims acknowledged. */
  readonly resendMs: number;
  /** After this silence a peer that is of no interest is forgotten. */
  readonly forgetMs: number;
}

/**
 * The timing of heartbeats every `heartbeatMs`, 100 by default. Deaths follow in proportion; what depends on programs and people does not.
 * The first are chosen so that a death is certain 225 ms after the last heartbeat. Until then two heartbeats were lost, and three questions to the
 * speaker and to its kernel, 25 ms apart; an outage shorter than 125 ms ends before that. A thread that is slow costs nothing: the kernel answers.
 */
export function timingFor(heartbeatMs = 100): Timing {
  return {
    heartbeatMs,
    ringHeartbeatMs: heartbeatMs * 2.5,
    retryMs: heartbeatMs / 4,
    questionMs: heartbeatMs / 2,
    lateMs: heartbeatMs / 20,
    tryMs: heartbeatMs * 0.3,
    witnessMs: heartbeatMs / 2,
    unheardDeadMs: 30_000,
    takeMs: heartbeatMs * 5,
    joinMs: heartbeatMs * 3,
    joinLimitMs: heartbeatMs * 20,
    moveLimitMs: 10_000,
    unheardMoveMs: heartbeatMs * 3,
    stallMs: heartbeatMs * 1.25,
    doubtMs: heartbeatMs * 1.5,
    restartHoldMs: 5000,
    returnMs: 3000,
    leaveLimitMs: 3000,
    resendMs: heartbeatMs / 2,
    forgetMs: 10_000,
  };
}

/** After how many intervals without a heartbeat a peer is suspected. */
export const suspectedAfter = 1.5;
/** After how many it is dead, if it is confirmed. */
export const deadAfter = 2.25;
/** The same where another peer has just died with its kernel: the cause, a switch for example, is probably the same. */
export const deadTogetherAfter = 2;
/** After how many a peer that is alive because others hear it is no longer reported as heard. Each report of a change is a write to the API server. */
export const unreportedAfter = 10;
/** After how many it is dead while its kernel answers ARP or NDP: clients that know its hardware address are still served, and its speaker may only be slow. */
export const speakerDeadAfter = 4.5;
/** After how many it is dead as soon as another node says so. */
export const dubiousAfter = 1.5;
