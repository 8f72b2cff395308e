import { type KeySecretFault, keySecretName } from "../../src/heartbeat/key-secret.ts";
import { type Reason, reasonOf } from "../../src/model/reason.ts";

/** Why the Secret with the key of heartbeats cannot be used. */
export type InvalidField = Pick<KeySecretFault, "field" | "detail">;

/** What the speaker knows of that Secret. */
export type KeySecretState =
  | { readonly kind: "usable" | "missing" | "unread" }
  | ({ readonly kind: "invalid" } & InvalidField);

export interface HeartbeatFacts {
  /** Bellhop's own namespace. */
  readonly namespace: string;
  readonly secret: KeySecretState;
  /** Whether the speaker has a key nevertheless: that of the Secret as it was before, or of an earlier speaker. */
  readonly hasKey: boolean;
  /** Whether other speakers use a key that this one does not have. */
  readonly foreignKey: boolean;
}

/** Why speakers may not hear each other because of the key of heartbeats. Undefined: nothing is wrong with it. Pure. */
export function findHeartbeatFault({ namespace, secret, hasKey, foreignKey }: HeartbeatFacts): Reason | undefined {
  const about = { object: "The speaker", field: "data.current", value: `${namespace}/${keySecretName}` };
  const kept = hasKey
    ? "The speaker continues with the key that it had."
    : "The speaker has no key, and hears no other speaker.";
  switch (secret.kind) {
    case "missing":
      return reasonOf("HeartbeatKeyMissing", { ...about, detail: kept });
    case "unread":
      return reasonOf("HeartbeatKeyUnread", { ...about, detail: kept });
    case "invalid":
      return reasonOf("HeartbeatKeyInvalid", { ...about, field: secret.field, detail: `${secret.detail} ${kept}` });
    case "usable":
      return foreignKey ? reasonOf("HeartbeatKeyDiffers", about) : undefined;
  }
}
