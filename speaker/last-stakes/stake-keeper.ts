import type { Clock } from "../../src/clock/clock.ts";
import type { Claim } from "../../src/heartbeat/messages.ts";
import type { Logger } from "../../src/log/log.ts";
import { formatLastStakes, type LastStakes, parseLastStakes } from "./last-stakes.ts";
import type { StakeFile } from "./stake-file.ts";

export interface StakeKeeperOptions {
  readonly node: string;
  readonly file: StakeFile;
  /** What is to be kept at this moment. */
  readonly current: () => LastStakes;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Several changes are one write. */
const writeAfterMs = 200;
/** The wait after a failed write. */
const retryMs = 60_000;

/** Writes the last stakes into their file some time after each change, and reads what an earlier speaker wrote. */
export class StakeKeeper {
  readonly #options: StakeKeeperOptions;
  #cancel: (() => void) | undefined;
  #writing: Promise<void> | undefined;
  #written = "";
  #failing = false;
  /** Whether it may write: before, the file has what an earlier speaker kept. */
  #running = false;
  #hasStarted = false;

  constructor(options: StakeKeeperOptions) {
    this.#options = options;
  }

  /** What an earlier speaker of this node has kept; undefined: nothing that can be used. Never rejects. */
  async read(): Promise<LastStakes | undefined> {
    const { file, node, log } = this.#options;
    try {
      const text = await file.read();
      const found = text === undefined ? undefined : parseLastStakes(text, node);
      if (text !== undefined && found === undefined) log.warn("the file of the last stakes cannot be used");
      return found;
    } catch (error) {
      log.warn({ err: error }, "cannot read the file of the last stakes");
      return undefined;
    }
  }

  /** Writes from now on. */
  start(): void {
    this.#running = true;
    this.#hasStarted = true;
    this.changed();
  }

  /** What is to be kept may have changed. */
  changed(): void {
    this.#writeAfter(writeAfterMs);
  }

  /** Writes nothing from now on, but for `keepForRestart`. */
  stop(): void {
    this.#running = false;
    this.#cancel?.();
  }

  /** Writes for the last time: the speaker ends now, and the next one uses its claims again. Never rejects. Only after `start` and `stop`. */
  async keepForRestart(claims: ReadonlyMap<string, Claim>): Promise<void> {
    const { file, current, clock, log } = this.#options;
    if (!this.#hasStarted) return;
    await this.#writing;
    try {
      await file.write(formatLastStakes({ ...current(), restart: { atMs: clock.wallMs(), claims } }));
    } catch (error) {
      log.warn(
        { err: error },
        "cannot keep what this node announces: another node may take it over during the restart",
      );
    }
  }

  #writeAfter(waitMs: number): void {
    if (!this.#running || this.#cancel !== undefined) return;
    this.#cancel = this.#options.clock.after(waitMs, () => {
      this.#cancel = undefined;
      // Another change follows while a write is under way.
      if (this.#writing !== undefined) this.#writeAfter(writeAfterMs);
      else
        this.#writing = this.#write().finally(() => {
          this.#writing = undefined;
        });
    });
  }

  async #write(): Promise<void> {
    const { file, current, log } = this.#options;
    const text = formatLastStakes(current());
    if (text === this.#written) return;
    try {
      await file.write(text);
      this.#written = text;
      this.#failing = false;
    } catch (error) {
      if (!this.#failing)
        log.warn(
          { err: error },
          "cannot keep the last stakes: a speaker that restarts while the API server does not answer announces nothing",
        );
      this.#failing = true;
      this.#writeAfter(retryMs);
    }
  }
}
