import type { Logger } from "../../src/log/log.ts";
import type { Fact } from "../membership/effects.ts";
import type { Hearing } from "../membership/hearing.ts";

export type PeerFact = Extract<Fact, { readonly kind: "peerUp" | "peerDown" | "isolated" | "connected" }>;

/** Which other speakers this one hears, and which nodes are dead, by what the responder thread has reported. */
export class PeerStates {
  readonly #log: Logger;
  #hearing: Hearing | undefined;
  readonly #deadNodes = new Set<string>();
  readonly #frozenNodes = new Set<string>();
  #isolated = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Undefined: no other speaker was ever heard. */
  get hearing(): Hearing | undefined {
    return this.#hearing;
  }

  get heardCount(): number {
    return this.#hearing?.heard.length ?? 0;
  }

  get lostCount(): number {
    return this.#hearing?.lost.length ?? 0;
  }

  /** The nodes that are dead as a whole, and not their speakers alone; also those that receive nothing, and those that are frozen. */
  get deadNodes(): ReadonlySet<string> {
    return new Set(this.#deadNodes);
  }

  /** Those of them whose kernel forwards, and where no program answers. */
  get frozenNodes(): ReadonlySet<string> {
    return new Set(this.#frozenNodes);
  }

  /** Whether this node hears neither other speakers nor any other device. */
  get isolated(): boolean {
    return this.#isolated;
  }

  /** A node that is heard is not dead, whether its return was reported or not. */
  setHearing({ heard, lost }: Hearing): void {
    this.#hearing = { heard: [...heard].sort(), lost: [...lost].sort() };
    for (const node of heard) this.#lives(node);
  }

  /** The node no longer exists. Another one may get its name. */
  forget(node: string): void {
    this.#lives(node);
  }

  observe(fact: PeerFact): void {
    const log = this.#log;
    switch (fact.kind) {
      case "peerUp":
        this.#lives(fact.node);
        log.info({ node: fact.node }, "the speaker of the node hears and is heard again");
        break;
      case "peerDown":
        this.#noteDown(fact);
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

  #noteDown({ node, nodeDead, frozen }: Extract<PeerFact, { readonly kind: "peerDown" }>): void {
    const log = this.#log;
    if (nodeDead) {
      this.#deadNodes.add(node);
      if (frozen) {
        this.#frozenNodes.add(node);
        log.warn(
          { node },
          "the node is frozen: its kernel accepts connections, and neither its speaker nor its kubelet answers",
        );
        return;
      }
      this.#frozenNodes.delete(node);
      log.warn({ node }, "the node is dead: its kernel does not answer, and its speaker is not heard or hears nothing");
      return;
    }
    const wasFrozen = this.#frozenNodes.has(node);
    const returned = this.#lives(node);
    if (wasFrozen) log.info({ node }, "the kubelet of the node answers again, and its speaker is not heard yet");
    else if (returned) log.info({ node }, "the kernel of the node answers again, and its speaker is not heard yet");
    else log.warn({ node }, "the speaker of the node is dead: no other speaker hears it");
  }

  /** Returns whether it counted as dead. */
  #lives(node: string): boolean {
    this.#frozenNodes.delete(node);
    return this.#deadNodes.delete(node);
  }
}
