import { equalBytes } from "../../src/packet/mac.ts";
import { readAnswer } from "./lan-probe.ts";
import { Schedule } from "./schedule.ts";
import type { Stake } from "./stake.ts";

/**
 * When the LAN is asked about an address, in milliseconds after the beginning. RFC 5227 section 1.1 spreads three probes over up to 7 s, for
 * devices and networks that come up at that moment. A device that already uses the address answers within milliseconds, if it is awake. The
 * address of a new Service is not answered before the end, so that it is kept short.
 */
export const probeMs: readonly number[] = [0, 20, 40];
/** When an address without an answer counts as unused, and is announced. */
export const probeEndMs = 60;
/**
 * For how long after that an answer counts as if it had come in time: ANNOUNCE_WAIT of RFC 5227 section 1.1. A device that sleeps on a wireless LAN
 * receives a broadcast only with the next beacon that announces some, which may be 300 ms later.
 */
export const lateAnswerMs = 2_000;
/** How long after an answer, or after an address was yielded, the LAN is asked again. */
export const probeAgainMs = 10_000;
/** A question that cannot be sent, because an interface is not ready, is sent again after this time. */
const retryMs = 500;

/** Why the LAN is asked: no speaker has announced the address before, or an earlier speaker of this node did. */
export type ProbeCause = "new" | "restored";

/** A device on the LAN that has an address. */
export interface OtherDevice {
  readonly interfaceName: string;
  /** 6 bytes. */
  readonly mac: Uint8Array;
}

/** A device that has an address which is not announced for that reason. */
export interface FoundDevice extends OtherDevice {
  /** Whether it had the address before a speaker announced it first. */
  readonly hadBefore: boolean;
}

export interface AddressProbesOptions {
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Asks on each interface of the stake. Returns false if one of them is not ready. */
  readonly ask: (stake: Stake) => boolean;
  /** Another device has the address; undefined: none has it any longer. */
  readonly used: (address: string, by: FoundDevice | undefined) => void;
  /** Whether the address may be announced has changed. */
  readonly changed: (address: string) => void;
}

interface AddressProbe {
  stake: Stake;
  /** Undefined: the address was yielded, or a speaker has announced it meanwhile. */
  cause: ProbeCause | undefined;
  /** Whether no speaker had announced the address when the LAN was asked first. */
  readonly isNew: boolean;
  /** `unused`: an answer may still come late. `used`: a device has the address, and the LAN is asked again later. */
  state: "asking" | "unused" | "used" | "settled";
  usedBy: OtherDevice | undefined;
  asked: number;
  dueMs: number;
}

/**
 * Finds out whether another device has an address, before it is announced and shortly after that; and while one has it, whether it still does.
 * Neither sends nor receives by itself.
 */
export class AddressProbes {
  readonly #options: AddressProbesOptions;
  readonly #probes = new Map<string, AddressProbe>();
  /** By the bytes of an address that an answer is waited for. */
  readonly #waiting = new Map<string, AddressProbe>();
  readonly #schedule = new Schedule<{ readonly probe: AddressProbe; readonly dueMs: number }>();

  constructor(options: AddressProbesOptions) {
    this.#options = options;
  }

  /** When `advance` has something to do; Infinity: never. */
  get nextDueMs(): number {
    return this.#schedule.nextMs;
  }

  /** Whether the address may be announced. */
  allows(address: string): boolean {
    const probe = this.#probes.get(address);
    return probe === undefined || probe.state === "unused" || probe.state === "settled";
  }

  /** `cause` undefined: the LAN need not be asked. `announced`: this node announces the address already, so that it is too late to ask. */
  setStake(stake: Stake, cause: ProbeCause | undefined, announced: boolean): void {
    const known = this.#probes.get(stake.address);
    if (known === undefined) {
      if (cause !== undefined && !announced) this.#restart(this.#add(stake, cause, cause === "new"));
      return;
    }
    const before = known.stake.interfaces.join(" ");
    known.stake = stake;
    // What this node yielded waits until it is unused all the same, and what it has just announced for late answers.
    if (cause === undefined && known.cause !== undefined) {
      if (known.state === "unused") known.cause = undefined;
      else {
        this.#setUsedBy(known, undefined);
        this.remove(stake.address);
      }
    } else if (!this.allows(stake.address) && before !== stake.interfaces.join(" ")) this.#restart(known);
  }

  /** Forgets the address, without a report. */
  remove(address: string): void {
    const known = this.#probes.get(address);
    if (known === undefined) return;
    this.#probes.delete(address);
    this.#waiting.delete(keyOf(known.stake.bytes));
  }

  /** Another device has the address, which this node announced until now. It is announced again when it is unused. */
  yield(stake: Stake, by: OtherDevice): void {
    this.#yield(stake, by, false);
  }

  #yield(stake: Stake, by: OtherDevice, isNew: boolean): void {
    const probe = this.#add(stake, undefined, isNew);
    probe.state = "used";
    this.#setUsedBy(probe, by);
    this.#setDue(probe, this.#options.now() + probeAgainMs);
    this.#options.changed(stake.address);
  }

  /**
   * A frame that was received; `isPeer`: from another speaker's node. That one may announce a new address already, but answers for an
   * earlier one of this node only if it has taken over. Of an address that is announced already, a late answer has it withdrawn. Costs nothing
   * while no answer is waited for. Copies the bytes.
   */
  receive(frame: Uint8Array, { interfaceName, mac }: OtherDevice, isPeer: boolean): void {
    const answer = this.#waiting.size === 0 ? undefined : readAnswer(frame);
    const probe = answer === undefined ? undefined : this.#waiting.get(keyOf(answer.address));
    if (probe === undefined || (isPeer && (probe.cause !== "restored" || probe.state === "unused"))) return;
    const device = { interfaceName, mac: Uint8Array.from(mac) };
    if (probe.state === "unused") {
      this.#yield(probe.stake, device, probe.isNew);
      return;
    }
    this.#setUsedBy(probe, device);
    if (probe.state === "used") return;
    probe.state = "used";
    this.#setDue(probe, this.#options.now() + probeAgainMs);
  }

  /** Asks where that is due, and ends what has had no answer. */
  advance(): void {
    for (;;) {
      const due = this.#schedule.takeDue(this.#options.now());
      if (due === undefined) return;
      const { probe, dueMs } = due;
      if (this.#probes.get(probe.stake.address) !== probe || probe.dueMs !== dueMs) continue;
      if (probe.state === "used") this.#restart(probe);
      else if (probe.state === "asking") this.#continue(probe);
      else this.#settle(probe);
    }
  }

  #add(stake: Stake, cause: ProbeCause | undefined, isNew: boolean): AddressProbe {
    const probe: AddressProbe = { stake, cause, isNew, state: "asking", usedBy: undefined, asked: 0, dueMs: 0 };
    this.#probes.set(stake.address, probe);
    this.#waiting.set(keyOf(stake.bytes), probe);
    return probe;
  }

  #restart(probe: AddressProbe): void {
    probe.state = "asking";
    probe.asked = 0;
    this.#continue(probe);
  }

  /** An interval passes after each question, also where the thread was late. */
  #continue(probe: AddressProbe): void {
    const { now, ask, changed } = this.#options;
    const { asked, stake } = probe;
    const at = probeMs[asked];
    if (at !== undefined) {
      if (stake.interfaces.length === 0 || !ask(stake)) {
        this.#setDue(probe, now() + retryMs);
        return;
      }
      probe.asked += 1;
      this.#setDue(probe, now() + (probeMs[asked + 1] ?? probeEndMs) - at);
      return;
    }
    probe.state = "unused";
    this.#setDue(probe, now() + lateAnswerMs);
    this.#setUsedBy(probe, undefined);
    changed(stake.address);
  }

  /** The time for answers is over. A yielded address, or one that was announced, is like any other from now on. */
  #settle(probe: AddressProbe): void {
    const { address, bytes } = probe.stake;
    probe.state = "settled";
    this.#waiting.delete(keyOf(bytes));
    if (probe.cause === undefined) this.#probes.delete(address);
  }

  #setDue(probe: AddressProbe, dueMs: number): void {
    probe.dueMs = dueMs;
    this.#schedule.add(dueMs, { probe, dueMs });
  }

  #setUsedBy(probe: AddressProbe, by: OtherDevice | undefined): void {
    const before = probe.usedBy;
    if (sameDevice(before, by)) return;
    probe.usedBy = by;
    this.#options.used(probe.stake.address, by === undefined ? undefined : { ...by, hadBefore: probe.isNew });
  }
}

function sameDevice(left: OtherDevice | undefined, right: OtherDevice | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return left.interfaceName === right.interfaceName && equalBytes(left.mac, right.mac);
}

function keyOf(address: Uint8Array): string {
  return address.join(".");
}
