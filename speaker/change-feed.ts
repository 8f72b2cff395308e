import type { BellhopError } from "../src/error/error.ts";
import type { KeySecretFault } from "../src/heartbeat/key-secret.ts";
import type { TableName } from "../src/nft-netlink/table-contents.ts";
import type { AnnouncementListener } from "./announce/announcer.ts";
import type { HoldingFact } from "./announce/holdings.ts";
import type { HostChange, HostListener } from "./host.ts";
import type { KernelListener } from "./kernel/kernel.ts";
import type { Fact } from "./membership/effects.ts";
import type { Hearing } from "./membership/hearing.ts";
import type { FoundDevice } from "./responder/address-probes.ts";
import type { ObservedConflict, ResponderListener } from "./responder/responder.ts";
import type { RulesListener } from "./service-rules.ts";
import type { WatchedResource, WatchListener } from "./watches.ts";

/** Receives every change that the parts of the speaker observe or make. */
export interface ChangeListener
  extends WatchListener,
    HostListener,
    AnnouncementListener,
    KernelListener,
    ResponderListener,
    RulesListener {
  /** Rules were written, or could not be. */
  rulesWritten(): void;
  /** The kernel has begun to refuse the rules of a Service, or accepts them again. */
  rulesRefused(service: string): void;
  /** A bug: the speaker cannot continue. */
  failed(error: unknown): void;
}

/**
 * Carries changes from the parts that observe them to their listener. Exists because those parts are built before the listener; a
 * change before `listen` is lost.
 */
export class ChangeFeed implements ChangeListener {
  #listener: ChangeListener | undefined;

  listen(listener: ChangeListener): void {
    this.#listener = listener;
  }

  watchedChanged(resource: WatchedResource, key: string): void {
    this.#listener?.watchedChanged(resource, key);
  }

  keySecretInvalid(fault: KeySecretFault | undefined): void {
    this.#listener?.keySecretInvalid(fault);
  }

  hostRead(change: HostChange): void {
    this.#listener?.hostRead(change);
  }

  announcementChanged(virtualIp: string): void {
    this.#listener?.announcementChanged(virtualIp);
  }

  announcementBegun(virtualIp: string, fact: HoldingFact): void {
    this.#listener?.announcementBegun(virtualIp, fact);
  }

  stakeAdded(address: string, announcedBy: string | undefined): void {
    this.#listener?.stakeAdded(address, announcedBy);
  }

  stakeRemoved(address: string): void {
    this.#listener?.stakeRemoved(address);
  }

  stakesChanged(): void {
    this.#listener?.stakesChanged();
  }

  conflictObserved(conflict: ObservedConflict): void {
    this.#listener?.conflictObserved(conflict);
  }

  factsObserved(facts: readonly Fact[]): void {
    this.#listener?.factsObserved(facts);
  }

  programsQuestioned(node: string, askedMs: number): void {
    this.#listener?.programsQuestioned(node, askedMs);
  }

  hearingChanged(hearing: Hearing): void {
    this.#listener?.hearingChanged(hearing);
  }

  addressUseObserved(address: string, by: FoundDevice | undefined): void {
    this.#listener?.addressUseObserved(address, by);
  }

  interfaceFailed(interfaceName: string): void {
    this.#listener?.interfaceFailed(interfaceName);
  }

  rulesDue(): void {
    this.#listener?.rulesDue();
  }

  tableChanged(table: TableName, difference: string): void {
    this.#listener?.tableChanged(table, difference);
  }

  networkChanged(): void {
    this.#listener?.networkChanged();
  }

  kernelDied(error: BellhopError): void {
    this.#listener?.kernelDied(error);
  }

  responderDied(error: BellhopError): void {
    this.#listener?.responderDied(error);
  }

  rulesWritten(): void {
    this.#listener?.rulesWritten();
  }

  rulesRefused(service: string): void {
    this.#listener?.rulesRefused(service);
  }

  failed(error: unknown): void {
    this.#listener?.failed(error);
  }
}
