import type { V1Lease } from "@kubernetes/client-node";
import { speakerLeaseName } from "../api/speaker.ts";

/** What Bellhop reads of a speaker's Lease, frozen. Its times are from another clock: only their changes have a meaning. */
export interface SpeakerLeaseView {
  readonly node: string;
  /** Empty: the speaker has released it. */
  readonly holder: string;
  readonly durationMs: number;
  /** Differs after each renewal. */
  readonly renewal: string;
}

/** Undefined for a Lease that is not that of a speaker. */
export function projectSpeakerLease(raw: V1Lease): SpeakerLeaseView | undefined {
  const name = raw.metadata?.name ?? "";
  const prefix = speakerLeaseName("");
  if (!name.startsWith(prefix) || name === prefix) return undefined;
  return Object.freeze({
    node: name.slice(prefix.length),
    holder: raw.spec?.holderIdentity ?? "",
    durationMs: (raw.spec?.leaseDurationSeconds ?? 6) * 1000,
    renewal: `${String(raw.spec?.renewTime)}/${raw.spec?.leaseTransitions ?? 0}/${raw.metadata?.resourceVersion ?? ""}`,
  });
}
