import type { V1Secret } from "@kubernetes/client-node";
import { type Clock, repeat } from "../../src/clock/clock.ts";
import { keySecretName } from "../../src/heartbeat/key-secret.ts";
import { isAlreadyExists, isConflict } from "../../src/kube/api-error.ts";
import type { ApiClient } from "../../src/kube/client.ts";
import { getObject } from "../../src/kube/get-object.ts";
import type { TermPart } from "../../src/kube/leadership-term.ts";
import { secretPath } from "../../src/kube/path.ts";
import type { Logger } from "../../src/log/log.ts";
import { hasPrevious, newKeySecret, planKeySecret } from "./plan-key-secret.ts";

export interface KeySecretLoopOptions {
  readonly client: ApiClient;
  readonly namespace: string;
  /** Returns a new key: heartbeatKeyLength bytes of a cryptographic source. */
  readonly createKey: () => Uint8Array;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How often the leader reads the Secret. */
const checkMs = 60_000;

/**
 * Keeps the Secret with the key of heartbeats while this controller leads: creates it when it is missing, and ends a rotation. Leaves a Secret
 * that cannot be used as it is, and says in the log what to do. Never logs a key.
 */
export class KeySecretLoop implements TermPart {
  readonly #options: KeySecretLoopOptions;
  #stopping = new AbortController();
  #checking: Promise<void> = Promise.resolve();
  /** Since when this leader has seen the former key. */
  #previousSinceMs: number | undefined;
  /** The last problem that was logged. */
  #logged = "";

  constructor(options: KeySecretLoopOptions) {
    this.#options = options;
  }

  start(): void {
    this.#stopping = new AbortController();
    this.#previousSinceMs = undefined;
    this.#look();
    const { clock } = this.#options;
    repeat(
      clock,
      () => checkMs,
      () => this.#look(),
      this.#stopping.signal,
    );
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#checking;
  }

  /** Checks run one after the other. */
  #look(): void {
    const { signal } = this.#stopping;
    this.#checking = this.#checking.then(async () => {
      if (signal.aborted) return;
      try {
        await this.#check();
      } catch (error) {
        // Another client was faster: the next check sees what it wrote.
        if (isConflict(error) || isAlreadyExists(error)) return;
        const text = error instanceof Error ? error.message : String(error);
        if (this.#isNew(text))
          this.#options.log.warn({ err: error }, "cannot keep the key of heartbeats; trying again");
      }
    });
  }

  async #check(): Promise<void> {
    const { client, namespace, createKey, clock, log } = this.#options;
    const secret = (await getObject(client, secretPath(namespace, keySecretName))) as V1Secret | undefined;
    const nowMs = clock.monotonicMs();
    if (secret === undefined || !hasPrevious(secret)) this.#previousSinceMs = undefined;
    else this.#previousSinceMs ??= nowMs;
    const plan = planKeySecret(secret, nowMs - (this.#previousSinceMs ?? nowMs));
    const object = `${namespace}/${keySecretName}`;
    switch (plan.kind) {
      case "nothing":
        this.#logged = "";
        break;
      case "create":
        await client.request({
          method: "POST",
          path: secretPath(namespace),
          body: newKeySecret(namespace, createKey()),
        });
        log.info({ secret: object }, "created the key of heartbeats");
        break;
      case "remove previous":
        await client.request({ method: "PUT", path: secretPath(namespace, keySecretName), body: plan.secret });
        log.info({ secret: object }, "removed the former key of heartbeats; the rotation is over");
        break;
      case "invalid":
        if (this.#isNew(plan.fault)) log.error({ reason: plan.fault }, "the key of heartbeats cannot be used");
    }
  }

  #isNew(problem: string): boolean {
    const before = this.#logged;
    this.#logged = problem;
    return before !== problem;
  }
}
