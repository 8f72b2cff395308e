import type { Message } from "../../src/heartbeat/messages.ts";
import type { Effect, Fact } from "./effects.ts";

/** The effects since the last `take`, in order. */
export class EffectQueue {
  #effects: Effect[] = [];

  add(effect: Effect): void {
    this.#effects.push(effect);
  }

  send(to: string, message: Message): void {
    this.#effects.push({ kind: "send", to, message });
  }

  report(fact: Fact): void {
    this.#effects.push({ kind: "fact", fact });
  }

  take(): readonly Effect[] {
    const effects = this.#effects;
    if (effects.length > 0) this.#effects = [];
    return effects;
  }
}
