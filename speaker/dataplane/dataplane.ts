import type { Logger } from "pino";
import type { Clock } from "../../src/clock/clock.ts";
import type { IpFamily } from "../../src/ip/address.ts";
import type { Nft } from "../../src/nft/nft.ts";
import type { Conntrack } from "./conntrack.ts";
import type { Element } from "./element.ts";
import { ElementIndex, type ElementsById } from "./element-index.ts";
import type { DataplaneMetrics } from "./metrics.ts";
import { StaleFlows } from "./stale-flows.ts";
import { TableWriter } from "./table-writer.ts";
import { nftFamilies } from "./tables.ts";

export interface DataplaneOptions {
  readonly nft: Nft;
  readonly conntrack: Conntrack;
  readonly log: Logger;
  readonly metrics: DataplaneMetrics;
  readonly clock: Clock;
}

export interface DataplaneSettings {
  /** This node's address for node ports, by family. */
  readonly nodeAddresses: Readonly<Record<IpFamily, string | undefined>>;
  readonly markBit: number;
}

const families = ["IPv4", "IPv6"] as const satisfies readonly IpFamily[];

/** Owner of the interfaces, which belong to no Service. */
const interfacesOwner = "(interfaces)";

/** Keeps the rules in the kernel as Services need them: collect with `setService` and `setInterfaces`, then `apply` all at once. */
export class Dataplane {
  readonly #options: DataplaneOptions;
  readonly #index = new ElementIndex();
  readonly #writers: Readonly<Record<IpFamily, TableWriter>>;
  readonly #staleFlows: Readonly<Record<IpFamily, StaleFlows>>;

  constructor(options: DataplaneOptions) {
    this.#options = options;
    const writer = (family: IpFamily) => new TableWriter(nftFamilies[family], options.nft, this.#index);
    this.#writers = { IPv4: writer("IPv4"), IPv6: writer("IPv6") };
    const { conntrack, metrics, log } = options;
    const flows = (family: IpFamily) => new StaleFlows({ family, conntrack, index: this.#index, metrics, log });
    this.#staleFlows = { IPv4: flows("IPv4"), IPv6: flows("IPv6") };
  }

  /** Services that have elements. */
  get services(): readonly string[] {
    return [...this.#index.owners].filter((owner) => owner !== interfacesOwner);
  }

  /** Replaces the elements of a Service; empty: the Service is gone. */
  setService(key: string, elements: readonly Element[]): void {
    this.#index.set(key, elements);
  }

  /** The interfaces whose packets are rewritten. */
  setInterfaces(names: readonly string[]): void {
    this.#index.set(
      interfacesOwner,
      families.flatMap((family) =>
        names.map(
          (interfaceName): Element => ({
            family: nftFamilies[family],
            set: "lan_interfaces",
            key: { interfaceName },
          }),
        ),
      ),
    );
  }

  /** Makes the next `apply` replace the tables of these families, in case something else has changed them. */
  invalidate(changed: readonly IpFamily[] = families): void {
    for (const family of changed) this.#writers[family].invalidate();
  }

  /** Something else has changed the table of the family: the next `apply` replaces it. */
  foreignChange(family: IpFamily): void {
    this.#options.metrics.foreignChanges.inc({ family });
    this.invalidate([family]);
  }

  /**
   * Writes what has changed; one call at a time. A family that fails does not delay the other. Throws BellhopError NftFailed after
   * both were tried; the next call then writes the failed table as a whole.
   */
  async apply(settings: DataplaneSettings): Promise<void> {
    const changed = this.#index.takeChanged();
    const failures: unknown[] = [];
    for (const family of families) {
      try {
        await this.#applyFamily(family, settings, changed);
      } catch (error) {
        this.#options.metrics.failures.inc({ family });
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  async #applyFamily(family: IpFamily, settings: DataplaneSettings, changed: ElementsById): Promise<void> {
    const { metrics, clock, log } = this.#options;
    const nodeAddress = settings.nodeAddresses[family];
    const startMs = clock.monotonicMs();
    const written = await this.#writers[family].write({ nodeAddress, markBit: settings.markBit }, changed);
    if (written === undefined) return;
    const { change, whole } = written;
    metrics.transactions.inc({ family, kind: whole ? "whole" : "delta" });
    metrics.duration.observe({ family }, (clock.monotonicMs() - startMs) / 1000);
    const [added, removed] = [change.added.size, change.removed.size];
    log.debug({ family, whole, added, removed }, "rules written");
    this.#staleFlows[family].written(change, nodeAddress);
  }
}
