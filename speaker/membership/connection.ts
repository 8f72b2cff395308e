import type { EffectQueue } from "./effect-queue.ts";
import type { OwnState } from "./own-state.ts";

/** Between two requests to the gateway at rest. */
const atRestMs = 10_000;

/** The silence of a gateway that has not answered for so long says nothing about this node. */
const goneMs = 25_000;

/** Whether this node is connected to the LAN, as far as the gateway and devices other than peers tell. */
export class Connection {
  readonly #own: OwnState;
  readonly #effects: EffectQueue;
  #gatewayMs = Number.NEGATIVE_INFINITY;
  #lanMs = Number.NEGATIVE_INFINITY;
  #nodeMs = Number.NEGATIVE_INFINITY;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(own: OwnState, effects: EffectQueue) {
    this.#own = own;
    this.#effects = effects;
  }

  lanHeard(): void {
    this.#lanMs = this.#own.nowMs;
  }

  gatewayAnswered(): void {
    this.#gatewayMs = this.#own.nowMs;
  }

  /** The kernel of a node answered. */
  nodeAnswered(): void {
    this.#nodeMs = this.#own.nowMs;
  }

  /** There is a gateway that answered before, so that its silence means something. */
  get hasGateway(): boolean {
    return this.#gatewayMs > this.#own.nowMs - goneMs;
  }

  /** A gateway has answered at any time. */
  get hadGateway(): boolean {
    return this.#gatewayMs > Number.NEGATIVE_INFINITY;
  }

  /** When a gateway answered for the last time, and when anything was heard from the LAN; -Infinity: never. */
  get gatewayMs(): number {
    return this.#gatewayMs;
  }

  get lanMs(): number {
    return Math.max(this.#gatewayMs, this.#lanMs);
  }

  /** Something was heard from the LAN since then. */
  heardSince(sinceMs: number): boolean {
    return this.lanMs > sinceMs;
  }

  /** The gateway or the kernel of a node has answered a request since then: so what this node sends arrives. */
  answeredSince(sinceMs: number): boolean {
    return Math.max(this.#gatewayMs, this.#nodeMs) > sinceMs;
  }

  /** Sends the gateway a request, unless one was sent within retryMs. */
  ask(): void {
    const { nowMs, timing } = this.#own;
    if (nowMs < this.#askedMs + timing.retryMs) return;
    this.#askedMs = nowMs;
    this.#effects.add({ kind: "askGateway" });
  }

  get nextDueMs(): number {
    return this.#askedMs + atRestMs;
  }

  /** Finds out, now and then, whether there is a gateway. */
  askAtRest(): void {
    if (this.#own.nowMs >= this.nextDueMs) this.ask();
  }
}
