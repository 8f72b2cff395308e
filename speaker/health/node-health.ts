import { type IpFamily, ipFamilies } from "../../src/ip/address.ts";
import type { FamilyWrites } from "../dataplane/dataplane.ts";

/** How long writes may fail, or the responder thread may do nothing, before the node counts as unable to serve. */
const healthLimitMs = 5_000;

/** What the parts of the speaker say at one moment. Times are monotonic. */
export interface HealthFacts {
  readonly nowMs: number;
  /** Since when rules are written. */
  readonly startedMs: number;
  readonly writes: Readonly<Record<IpFamily, FamilyWrites>>;
  /** For how long the responder thread has not done a turn of its loop. */
  readonly silentMs: number;
}

/** Whether this node can serve addresses. */
export interface NodeHealth {
  /** Families whose rules cannot be written, with the reason. */
  readonly rulesFailing: readonly { readonly family: IpFamily; readonly failure: string }[];
  /** Whether the rules of both families have been written at least once. */
  readonly rulesWritten: boolean;
  /** Whether the responder thread answers requests. */
  readonly answering: boolean;
  /** The families of which the node can serve addresses. */
  readonly readyFamilies: readonly IpFamily[];
}

/** The health of the node. Pure. Faults of an interface are not in it: the Speaker reports them with the interface (`host-checks`). */
export function nodeHealth({ nowMs, startedMs, writes, silentMs }: HealthFacts): NodeHealth {
  const rulesFailing = ipFamilies.flatMap((family) => {
    const { everWritten, failingSinceMs, failure = "there was no answer yet" } = writes[family];
    const sinceMs = failingSinceMs ?? (everWritten ? nowMs : startedMs);
    return nowMs - sinceMs > healthLimitMs ? [{ family, failure }] : [];
  });
  const answering = silentMs <= healthLimitMs;
  const failing = new Set<IpFamily>(rulesFailing.map(({ family }) => family));
  return {
    rulesFailing,
    rulesWritten: ipFamilies.every((family) => writes[family].everWritten),
    answering,
    readyFamilies: answering ? ipFamilies.filter((family) => !failing.has(family)) : [],
  };
}
