import type { HeartbeatFacts } from "../../../../speaker/peers/find-heartbeat-fault.ts";

/** One row: what a speaker knows of the key of heartbeats, and what its Speaker reports. */
export interface HeartbeatFaultCase {
  readonly name: string;
  readonly facts: Partial<HeartbeatFacts>;
  /** Code of the reason. Undefined: nothing is wrong. */
  readonly code: string | undefined;
  readonly says?: RegExp;
}

export const heartbeatFaultCases: readonly HeartbeatFaultCase[] = [
  { name: "a key", facts: {}, code: undefined },
  {
    name: "no Secret",
    facts: { secret: { kind: "missing" }, hasKey: false },
    code: "HeartbeatKeyMissing",
    says: /because Secret bellhop-system\/bellhop-heartbeat does not exist\. The speaker has no key, and hears no other/,
  },
  {
    name: "a Secret that was deleted",
    facts: { secret: { kind: "missing" } },
    code: "HeartbeatKeyMissing",
    says: /continues with the key that it had/,
  },
  {
    name: "a Secret that the speaker may not read",
    facts: { secret: { kind: "unread" }, hasKey: false },
    code: "HeartbeatKeyUnread",
    says: /cannot read data\.current of Secret bellhop-system\/bellhop-heartbeat/,
  },
  {
    name: "a key of the wrong size",
    facts: { secret: { kind: "invalid", field: "data.current", detail: "data.current has 3 bytes." } },
    code: "HeartbeatKeyInvalid",
    says: /cannot use data\.current of Secret .* data\.current has 3 bytes\. The speaker continues/,
  },
  {
    name: "other speakers with another key",
    facts: { foreignKey: true },
    code: "HeartbeatKeyDiffers",
    says: /with another key than data\.current of Secret bellhop-system\/bellhop-heartbeat/,
  },
  {
    name: "no Secret, which explains what else is wrong",
    facts: { secret: { kind: "missing" }, foreignKey: true },
    code: "HeartbeatKeyMissing",
  },
];
