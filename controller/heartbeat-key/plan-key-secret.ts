import type { V1Secret } from "@kubernetes/client-node";
import { currentKeyField, keySecretName, previousKeyField, readKeySecret } from "../../src/heartbeat/key-secret.ts";

/** How long the former key stays after a rotation. Until then a speaker that the API server does not reach is still heard. */
export const previousKeyMs = 10 * 60_000;

/** What the leader does about the Secret. */
export type KeySecretPlan =
  | { readonly kind: "create" }
  /** The rotation is over. */
  | { readonly kind: "remove previous"; readonly secret: V1Secret }
  /** `fault`: why the speakers cannot use it. Only a user can know whether the content matters. */
  | { readonly kind: "invalid"; readonly fault: string }
  | { readonly kind: "nothing" };

/** `secret`: undefined if it does not exist. `previousSeenMs`: for how long this leader has seen the former key. Pure. */
export function planKeySecret(secret: V1Secret | undefined, previousSeenMs: number): KeySecretPlan {
  if (secret === undefined) return { kind: "create" };
  const read = readKeySecret(secret);
  if ("fault" in read) return { kind: "invalid", fault: read.fault };
  if (!hasPrevious(secret) || previousSeenMs < previousKeyMs) return { kind: "nothing" };
  return { kind: "remove previous", secret: withoutPrevious(secret) };
}

/** Whether the last rotation is not over. */
export function hasPrevious({ data = {} }: V1Secret): boolean {
  return previousKeyField in data;
}

/** The Secret as it is created. `key`: heartbeatKeyLength random bytes. */
export function newKeySecret(namespace: string, key: Uint8Array): V1Secret {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: keySecretName, namespace, labels: { "app.kubernetes.io/part-of": "bellhop" } },
    type: "Opaque",
    data: { [currentKeyField]: base64Of(key) },
  };
}

/** The Secret with a new key, and the one before as the previous one. */
export function rotatedKeySecret(secret: V1Secret, key: Uint8Array): V1Secret {
  const { [currentKeyField]: previous = "", ...others } = secret.data ?? {};
  return { ...secret, data: { ...others, [currentKeyField]: base64Of(key), [previousKeyField]: previous } };
}

function withoutPrevious(secret: V1Secret): V1Secret {
  const { [previousKeyField]: _, ...data } = secret.data ?? {};
  return { ...secret, data };
}

function base64Of(key: Uint8Array): string {
  return Buffer.from(key).toString("base64");
}
