import type { Condition } from "../../src/api/api.ts";
import type { Clock } from "../../src/clock/clock.ts";
import type { HeartbeatKey } from "../../src/heartbeat/heartbeat-key.ts";
import { type KeySecretView, keySecretName } from "../../src/heartbeat/key-secret.ts";
import type { Reflector } from "../../src/kube/reflector.ts";
import { reflectorFaults } from "../../src/kube/reflector-health.ts";
import type { Logger } from "../../src/log/log.ts";
import { type ConditionState, withConditions } from "../../src/model/condition.ts";
import { type Reason, reasonMessage } from "../../src/model/reason.ts";
import type { Counters } from "../responder/counters.ts";
import { findHeartbeatFault, type InvalidField, type KeySecretState } from "./find-heartbeat-fault.ts";

export interface HeartbeatChecksOptions {
  /** Bellhop's own namespace. */
  readonly namespace: string;
  readonly secrets: Pick<Reflector<KeySecretView>, "views" | "synced" | "lastHeardMs">;
  /** Other collections, by which it is known whether the API server answers this node at all. */
  readonly others: Readonly<Record<string, Pick<Reflector<unknown>, "synced" | "lastHeardMs">>>;
  readonly keyring: { readonly keys: readonly HeartbeatKey[] };
  readonly counters: Pick<Counters, "read">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A running controller creates the Secret within a minute, and the watch may take some time to be set up. */
const graceMs = 90_000;
/** This many packets with an unknown key within the time are not left over from a key that was just replaced. */
const manyPackets = 10;
const foreignKeyMs = 60_000;

/** Knows what is wrong with the key of heartbeats. `refresh` looks at it. */
export class HeartbeatChecks {
  readonly #options: HeartbeatChecksOptions;
  #invalid: InvalidField | undefined;
  /** Since when the Secret has not been there or not been read. */
  #absentSinceMs: number | undefined;
  /** Since when the API server has answered about anything. */
  #answeringSinceMs: number | undefined;
  #counted = { packets: 0, atMs: Number.NEGATIVE_INFINITY };
  #foreignUntilMs = Number.NEGATIVE_INFINITY;
  #known = false;
  #fault: Reason | undefined;

  constructor(options: HeartbeatChecksOptions) {
    this.#options = options;
  }

  /** Undefined: nothing is wrong, as of the last `refresh`. */
  get fault(): Reason | undefined {
    return this.#fault;
  }

  /** The Secret cannot be used; undefined: it can again, or does not exist. */
  secretInvalid(invalid: InvalidField | undefined): void {
    this.#invalid = invalid;
  }

  /** Returns whether there is another fault than before, and true once it is known for the first time whether there is one. */
  refresh(): boolean {
    const { namespace, keyring, log, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const secret = this.#secretState(nowMs);
    if (secret === undefined) return false;
    const hasKey = keyring.keys.length > 0;
    const fault = findHeartbeatFault({ namespace, secret, hasKey, foreignKey: this.#hearsForeignKey(nowMs) });
    if (this.#known && fault?.message === this.#fault?.message) return false;
    if (fault !== undefined) log.warn({ reason: fault.code }, reasonMessage(fault));
    else if (this.#known) log.info({ secret: `${namespace}/${keySecretName}` }, "the key of heartbeats can be used");
    this.#known = true;
    this.#fault = fault;
    return true;
  }

  /** Undefined: it is not known yet. */
  #secretState(nowMs: number): KeySecretState | undefined {
    const { secrets } = this.#options;
    const unread = reflectorFaults({ secrets }, nowMs).length > 0;
    const answersLong = this.#answersLong(nowMs);
    if (!unread && (this.#invalid !== undefined || secrets.views.size > 0)) {
      this.#absentSinceMs = undefined;
      return this.#invalid === undefined ? { kind: "usable" } : { kind: "invalid", ...this.#invalid };
    }
    this.#absentSinceMs ??= nowMs;
    // One that was read before has had its time. While the API server does not answer at all, the Secret is not what is wrong.
    const late = nowMs - this.#absentSinceMs >= graceMs || (unread && secrets.synced);
    if (late && answersLong) return { kind: unread ? "unread" : "missing" };
    return this.#known && this.#fault === undefined ? { kind: "usable" } : undefined;
  }

  /** After an outage, the watch of the Secret may be set up later than others. */
  #answersLong(nowMs: number): boolean {
    const { others } = this.#options;
    const answers = reflectorFaults(others, nowMs).length < Object.keys(others).length;
    this.#answeringSinceMs = answers ? (this.#answeringSinceMs ?? nowMs) : undefined;
    return this.#answeringSinceMs !== undefined && nowMs - this.#answeringSinceMs >= graceMs;
  }

  #hearsForeignKey(nowMs: number): boolean {
    const packets = this.#options.counters.read("rejected.unknownKey");
    if (packets - this.#counted.packets >= manyPackets) {
      this.#foreignUntilMs = nowMs + foreignKeyMs;
      this.#counted = { packets, atMs: nowMs };
    } else if (nowMs - this.#counted.atMs >= foreignKeyMs) this.#counted = { packets, atMs: nowMs };
    return nowMs < this.#foreignUntilMs;
  }
}

/** The conditions with the one about heartbeats as it is now. The same list when nothing has changed. Pure. */
export function heartbeatConditions(
  present: readonly Condition[],
  fault: Reason | undefined,
  now: string,
): readonly Condition[] {
  const type = "Heartbeats";
  const state: ConditionState =
    fault === undefined
      ? { type, status: "True", reason: "KeyUsable", message: "The speakers have the same key of heartbeats." }
      : { type, status: "False", reason: fault.code, message: reasonMessage(fault) };
  return withConditions(present, [state], now);
}
