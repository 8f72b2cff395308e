import type { Element } from "./element.ts";
import { elementId } from "./element-id.ts";
import type { KeptElement } from "./kept-element.ts";

/** A port whose source ranges are those of another owner now. */
export interface ChangedWinner {
  /** As `portOf` says it. */
  readonly port: string;
  /** The owner before, and the owner now; undefined: there was none, or there is none. */
  readonly before: string | undefined;
  readonly now: string | undefined;
}

const noPorts: ReadonlySet<string> = new Set();

/** Which owner's source ranges of a port count: those of the one with the smallest name. Nearly always there is one. */
export class RangeOwners {
  readonly #owners = new Map<string, string | readonly string[]>();
  /** The ports of each owner that has any. */
  readonly #ports = new Map<string, ReadonlySet<string>>();

  /** The port that a source range belongs to, as text; undefined: it is another element. */
  portOf(element: Element): string | undefined {
    if (element.set === "node_port_source_ranges") {
      const { protocol, nodePort } = element.key;
      return elementId({ family: element.family, set: "source_range_node_ports", key: { protocol, nodePort } });
    }
    if (element.set !== "source_ranges") return undefined;
    const { address, protocol, port } = element.key;
    return elementId({ family: element.family, set: "source_range_services", key: { address, protocol, port } });
  }

  /** The same of an element as it is kept. Source ranges are kept as they are. */
  portOfKept(kept: KeptElement): string | undefined {
    return typeof kept === "string" ? undefined : this.portOf(kept);
  }

  /** The owner whose ranges of the same port count; undefined: it is another element. */
  winnerOf(kept: KeptElement): string | undefined {
    const port = this.portOfKept(kept);
    return port === undefined ? undefined : this.#winner(port);
  }

  /** An owner has source ranges of these ports now. Returns the ports whose ranges are those of another owner now. */
  set(owner: string, now: ReadonlySet<string> = noPorts): readonly ChangedWinner[] {
    const old = this.#ports.get(owner) ?? noPorts;
    if (old.size === 0 && now.size === 0) return [];
    if (now.size === 0) this.#ports.delete(owner);
    else this.#ports.set(owner, now);
    const changed: ChangedWinner[] = [];
    for (const port of new Set([...old, ...now])) {
      if (old.has(port) === now.has(port)) continue;
      const winner = this.#winner(port);
      this.#setOwners(
        port,
        now.has(port) ? [...this.#of(port), owner] : this.#of(port).filter((other) => other !== owner),
      );
      const next = this.#winner(port);
      if (winner !== next) changed.push({ port, before: winner, now: next });
    }
    return changed;
  }

  #of(port: string): readonly string[] {
    const owners = this.#owners.get(port) ?? [];
    return typeof owners === "string" ? [owners] : owners;
  }

  #setOwners(port: string, owners: readonly string[]): void {
    const [first] = owners;
    if (first === undefined) this.#owners.delete(port);
    else this.#owners.set(port, owners.length === 1 ? first : owners.toSorted());
  }

  #winner(port: string): string | undefined {
    const owners = this.#owners.get(port);
    return typeof owners === "string" ? owners : owners?.[0];
  }
}
