import type { Cause, Effect, Fact } from "../../../../speaker/membership/effects.ts";
import type { MembershipStake } from "../../../../speaker/membership/stake.ts";
import type { Decisions } from "../../../../speaker/responder/loop.ts";

interface Decided {
  readonly term: number;
  readonly cause: Cause;
}

/** Takes the place of Membership where time and other nodes do not matter: this node announces armed addresses whose first owner it is. */
export class FirstOwner implements Decisions {
  readonly nextDueMs = Number.POSITIVE_INFINITY;
  readonly hearing = { heard: [], lost: [] };
  readonly #node: string;
  /** The first owner of each stake. */
  readonly #announcers = new Map<string, string>();
  readonly #holding = new Map<string, Decided>();
  #effects: Effect[] = [];

  constructor(node: string) {
    this.#node = node;
  }

  resume(): void {}

  setStake({ address, owners, term, createdSeconds, armed }: MembershipStake): void {
    const before = this.#holding.get(address);
    const announcer = owners[0] ?? "";
    const earlier = this.#announcers.get(address);
    // The owner before is known until this node announces.
    if (announcer !== this.#node || earlier === undefined) this.#announcers.set(address, announcer);
    if (!armed || announcer !== this.#node) {
      this.#release(address);
      return;
    }
    if (before?.term === term) return;
    const from = earlier === this.#node ? undefined : earlier;
    const cause = before?.cause ?? (from === undefined ? "Start" : "Planned");
    this.#announcers.set(address, announcer);
    this.#holding.set(address, { term, cause });
    const renewed = before !== undefined;
    if (!renewed) this.#effects.push({ kind: "announce", address });
    const claim = { createdSeconds, term, epoch: 0, rank: 0 };
    this.#tell({ kind: "holding", address, claim, cause, renewed, from, gapMs: 0 });
  }

  removeStake(address: string): void {
    this.#announcers.delete(address);
    this.#release(address);
  }

  leave(): void {
    this.#tell({ kind: "leaveDone" });
  }

  setPeers(): void {}

  setHealth(): void {}

  receive(): void {}

  lanHeard(): void {}

  gatewayAnswered(): void {}

  nodeAnswered(): void {}

  announcementAnswered(): void {}

  programsAnswered(): void {}

  advance(): void {}

  take(): readonly Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  #release(address: string): void {
    if (!this.#holding.delete(address)) return;
    this.#effects.push({ kind: "withdraw", address });
    this.#tell({ kind: "released", address, to: undefined });
  }

  #tell(fact: Fact): void {
    this.#effects.push({ kind: "fact", fact });
  }
}
