import type { V1Secret } from "@kubernetes/client-node";
import { keySecretName, readKeySecret } from "../../src/heartbeat/key-secret.ts";
import { isConflict, isNotFound } from "../../src/kube/api-error.ts";
import type { ApiClient } from "../../src/kube/client.ts";
import { secretPath } from "../../src/kube/path.ts";
import { hasPrevious, previousKeyMs, rotatedKeySecret } from "./plan-key-secret.ts";

/** The answer of `bellhop rotate-key`. */
export type KeyRotation =
  | { readonly rotated: true; readonly secret: string; readonly previousKeyMinutes: number }
  /** `why`: in whole sentences, with what to do. */
  | { readonly rotated: false; readonly secret: string; readonly why: string };

export interface RotateKeyOptions {
  readonly client: ApiClient;
  /** The namespace that Bellhop runs in. */
  readonly namespace: string;
  /** Returns a new key: heartbeatKeyLength bytes of a cryptographic source. */
  readonly createKey: () => Uint8Array;
}

/**
 * Replaces the key of heartbeats. The former one stays in the Secret for a while, so that all speakers hear each other meanwhile: each
 * uses the new one towards those that have it. Refuses while an earlier rotation is not over. Throws what the API server refuses.
 */
export async function rotateKey({ client, namespace, createKey }: RotateKeyOptions): Promise<KeyRotation> {
  const secret = `${namespace}/${keySecretName}`;
  const path = secretPath(namespace, keySecretName);
  const refuse = (why: string): KeyRotation => ({ rotated: false, secret, why });
  const minutes = previousKeyMs / 60_000;
  try {
    const present = (await client.request({ method: "GET", path })).body as V1Secret;
    const read = readKeySecret(present);
    if ("fault" in read) return refuse(read.fault);
    if (hasPrevious(present)) {
      return refuse(
        `The previous rotation is not over: some speakers may not have the current key yet. The controller removes the former key ${minutes} minutes after a rotation. Try again then.`,
      );
    }
    await client.request({ method: "PUT", path, body: rotatedKeySecret(present, createKey()) });
    return { rotated: true, secret, previousKeyMinutes: minutes };
  } catch (error) {
    if (isNotFound(error))
      return refuse(
        "The Secret does not exist. A running controller creates it within a minute. Check that a controller is running.",
      );
    if (isConflict(error)) return refuse("Another client changed the Secret at the same time. Try again.");
    throw error;
  }
}
