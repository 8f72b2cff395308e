import type { Nft } from "../../src/nft/nft.ts";
import type { NftIpFamily } from "../../src/nft/transaction.ts";
import type { ElementIndex, ElementsById } from "./element-index.ts";
import type { RuleSettings } from "./rules.ts";
import {
  changeTable,
  emptyTable,
  replaceTable,
  settleChange,
  type TableChange,
  type WritableTableState,
} from "./table-state.ts";

/**
 * Keeps our table of one family as the index says. The table in the kernel is never read: its state is what was last written.
 * One call of `write` at a time.
 */
export class TableWriter {
  readonly family: NftIpFamily;
  readonly #nft: Nft;
  readonly #index: ElementIndex;
  /** "unknown": at the start and after a failure, so that the next write replaces the table as a whole. */
  #state: WritableTableState | "unknown" | "absent" = "unknown";
  #settings: RuleSettings | undefined;

  constructor(family: NftIpFamily, nft: Nft, index: ElementIndex) {
    this.family = family;
    this.#nft = nft;
    this.#index = index;
  }

  /** Makes the next write replace the table, in case something else has changed it. */
  invalidate(): void {
    this.#state = "unknown";
  }

  /**
   * Brings the table up to date; `changed` names the elements that may differ from the last write. Returns what was written, and
   * whether that was the whole table. Throws BellhopError NftFailed; the next write then tries the whole table.
   */
  async write(
    settings: RuleSettings,
    changed: ElementsById,
  ): Promise<{ readonly change: TableChange; readonly whole: boolean } | undefined> {
    const old = this.#settings;
    const same = old !== undefined && old.nodeAddress === settings.nodeAddress && old.markBit === settings.markBit;
    const state = same ? this.#state : "unknown";
    if (state === "absent" && !this.#hasAddress(changed)) return undefined;
    const kept = typeof state === "string" ? undefined : state;
    const change =
      kept === undefined
        ? replaceTable(this.family, settings, this.#index)
        : changeTable(this.family, kept, this.#index, changed);
    if (change === undefined) return undefined;
    this.#state = "unknown";
    await this.#nft.run(change.transaction);
    this.#settings = settings;
    const next = kept ?? emptyTable();
    settleChange(next, change);
    this.#state = kept === undefined && change.added.size === 0 ? "absent" : next;
    return { change, whole: kept === undefined };
  }

  #hasAddress(changed: ElementsById): boolean {
    for (const { family, set } of changed.values())
      if (family === this.family && set === "service_addresses") return true;
    return false;
  }
}
