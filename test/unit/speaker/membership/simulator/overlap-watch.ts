import type { NetworkNoise } from "./network.ts";
import type { Simulation } from "./simulation.ts";

/** How often it looks, in ms. */
const everyMs = 10;

/**
 * Finds nodes that announce one address beside each other for too long, although they hear each other and both have the newest list of
 * owners: 200 ms and the time of a few packets; more where packets are lost.
 */
export class OverlapWatch {
  readonly #simulation: Simulation;
  readonly #problems: string[];
  readonly #limitMs: number;
  /** By pair and address: for how long. */
  readonly #since = new Map<string, number>();

  constructor(simulation: Simulation, noise: NetworkNoise, problems: string[]) {
    this.#simulation = simulation;
    this.#problems = problems;
    this.#limitMs = noise.loss > 0 ? 900 : 200 + 4 * noise.delayMs;
  }

  sample(): void {
    const { api, network } = this.#simulation;
    for (const address of api.addresses) {
      const announcers = this.#simulation.announcersOf(address);
      if (announcers.length < 2 && this.#since.size === 0) continue;
      for (const a of this.#simulation.nodes) {
        for (const b of this.#simulation.nodes) {
          if (a.index >= b.index) continue;
          const key = `${address} ${a.name} ${b.name}`;
          const overlap =
            announcers.includes(a) &&
            announcers.includes(b) &&
            network.isOpen(a.index, b.index) &&
            network.isOpen(b.index, a.index) &&
            a.isCurrent(address) &&
            b.isCurrent(address);
          if (!overlap) {
            this.#since.delete(key);
            continue;
          }
          const forMs = (this.#since.get(key) ?? 0) + everyMs;
          this.#since.set(key, forMs);
          if (forMs > this.#limitMs + everyMs && this.#problems.length === 0) {
            this.#problems.push(
              `${key} announce beside each other for ${forMs} ms until ${Math.round(this.#simulation.events.nowMs)}`,
            );
          }
        }
      }
    }
  }
}
