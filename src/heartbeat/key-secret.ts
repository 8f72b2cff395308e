import { HeartbeatKey, heartbeatKeyLength } from "./heartbeat-key.ts";

/** Name of the Secret in Bellhop's own namespace. The leader of the controllers creates it. */
export const keySecretName = "bellhop-heartbeat";

/** Fields of its data: the key that messages are authenticated with, and for a while after a rotation the one before. */
export const currentKeyField = "current";
export const previousKeyField = "previous";

/** The keys in the Secret, frozen. */
export interface KeySecretView {
  readonly current: HeartbeatKey;
  readonly previous: HeartbeatKey | undefined;
}

/** Why the Secret cannot be used: names the object, the field and the cure, and never a value. */
export interface KeySecretFault {
  readonly fault: string;
  /** `data.current`. */
  readonly field: string;
  /** What is wrong with the field, as a sentence without the cure. */
  readonly detail: string;
}

/** The part of a Secret (core/v1) that is read. */
interface RawSecret {
  readonly metadata?: { readonly namespace?: string } | null;
  readonly data?: Readonly<Record<string, unknown>> | null;
}

/** Reads the keys from the Secret as the API server sends it. Pure; never throws. */
export function readKeySecret(raw: unknown): KeySecretView | KeySecretFault {
  const { metadata, data: fields } = (raw ?? {}) as RawSecret;
  const data = fields ?? {};
  const object = `${metadata?.namespace ?? ""}/${keySecretName}`;
  const current = readKey(object, currentKeyField, data[currentKeyField]);
  if (!(current instanceof HeartbeatKey)) return current;
  if (data[previousKeyField] === undefined) return Object.freeze({ current, previous: undefined });
  const previous = readKey(object, previousKeyField, data[previousKeyField]);
  if (!(previous instanceof HeartbeatKey)) return previous;
  return Object.freeze({ current, previous: previous.id === current.id ? undefined : previous });
}

/** Base64 with padding (RFC 4648 section 4), as the API server writes it. */
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** A Secret has 1 MiB at most; nothing longer than this can be a key. */
const longestText = 1_024;

function readKey(object: string, field: string, text: unknown): HeartbeatKey | KeySecretFault {
  const fault = (what: string): KeySecretFault => {
    const detail = `data.${field} ${what}, and must be ${heartbeatKeyLength} random bytes.`;
    return { fault: `Secret ${object}: ${detail} ${cureOf(field)}`, field: `data.${field}`, detail };
  };
  if (text === undefined) return fault("is missing");
  if (typeof text !== "string" || text.length > longestText || !base64.test(text)) return fault("is not a key");
  const bytes = Buffer.from(text, "base64");
  return bytes.length === heartbeatKeyLength ? new HeartbeatKey(bytes) : fault(`has ${bytes.length} bytes`);
}

function cureOf(field: string): string {
  if (field === previousKeyField) return `Remove data.${field}.`;
  return "Delete the Secret: the controller creates it again within a minute.";
}
