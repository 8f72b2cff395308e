import type { Logger } from "../../src/log/log.ts";
import type { Fact } from "../membership/effects.ts";

export type PeerFact = Extract<Fact, { readonly kind: "peerUp" | "peerDown" | "isolated" | "connected" }>;

/** Which other speakers this one hears, and which count as dead, by what the responder thread has reported. */
export class PeerStates {
  readonly #log: Logger;
  readonly #hearing = new Set<string>();
  /** By node that counts as dead: whether its kernel is dead, too. */
  readonly #lost = new Map<string, boolean>();
  #isolated = false;
  #known = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Whether anything was ever reported: heartbeats are in use. */
  get known(): boolean {
    return this.#known;
  }

  get hearing(): readonly string[] {
    return [...this.#hearing].sort();
  }

  get lost(): readonly string[] {
    return [...this.#lost.keys()].sort();
  }

  /** The nodes that are dead as a whole, and not their speakers alone. */
  get deadNodes(): ReadonlySet<string> {
    return new Set([...this.#lost].flatMap(([node, nodeDead]) => (nodeDead ? [node] : [])));
  }

  /** Whether this node hears neither other speakers nor any other device. */
  get isolated(): boolean {
    return this.#isolated;
  }

  get hearingCount(): number {
    return this.#hearing.size;
  }

  get lostCount(): number {
    return this.#lost.size;
  }

  observe(fact: PeerFact): void {
    this.#known = true;
    const log = this.#log;
    switch (fact.kind) {
      case "peerUp":
        if (this.#lost.delete(fact.node)) log.info({ node: fact.node }, "the speaker of the node is heard again");
        this.#hearing.add(fact.node);
        break;
      case "peerDown":
        this.#hearing.delete(fact.node);
        this.#lost.set(fact.node, fact.nodeDead);
        log.warn(
          { node: fact.node },
          fact.nodeDead
            ? "the node is dead: no speaker hears it, and its kernel does not answer either"
            : "the speaker of the node is dead: no other speaker hears it",
        );
        break;
      case "isolated":
        this.#isolated = true;
        log.error(
          "this node hears neither other speakers nor any other device, and announces nothing; check its network cable and its firewall",
        );
        break;
      case "connected":
        this.#isolated = false;
        log.info("this node hears other devices again");
    }
  }

  /** Forgets nodes that no longer exist. */
  retain(exists: (node: string) => boolean): void {
    for (const node of [...this.#hearing]) if (!exists(node)) this.#hearing.delete(node);
    for (const node of [...this.#lost.keys()]) if (!exists(node)) this.#lost.delete(node);
  }
}
