import type { UninstallStep } from "./plan-uninstall.ts";
import { workloads } from "./read-uninstall-input.ts";
import type { StepResult } from "./run-uninstall.ts";

/** One line of the answer of `bellhop uninstall`. */
export interface UninstallLine {
  /** Kind and name of the object, as kubectl shows them. */
  readonly kind: string;
  readonly name: string;
  /** What is done to it, in words. */
  readonly action: string;
  /** Undefined: it is only planned. */
  readonly result?: StepResult["kind"];
  /** Why it failed. */
  readonly why?: string;
}

/** The answer of `bellhop uninstall`. */
export interface UninstallReport {
  /** Whether the steps were done, and not only shown. */
  readonly acted: boolean;
  readonly lines: readonly UninstallLine[];
  /** What is still there afterwards, or would be; with an action that was only planned, all of it. */
  readonly left: number;
  /** Kinds of ours that the API server does not know. */
  readonly missingKinds: readonly string[];
}

/** The line of a step. Pure. */
export function describeStep(step: UninstallStep, namespace: string, result?: StepResult): UninstallLine {
  return { ...wordsOf(step, namespace), ...resultOf(result) };
}

function wordsOf(step: UninstallStep, namespace: string): Pick<UninstallLine, "kind" | "name" | "action"> {
  switch (step.kind) {
    case "StopController":
      return { kind: "Deployment", name: `${namespace}/${workloads.deployments}`, action: "delete" };
    case "StopSpeakers":
      return { kind: "DaemonSet", name: `${namespace}/${workloads.daemonsets}`, action: "delete" };
    case "DeleteVirtualIp":
      return { kind: "VirtualIP", name: step.object.name, action: "delete" };
    case "DeleteSpeaker":
      return { kind: "Speaker", name: step.object.name, action: "delete" };
    case "DeleteSpeakerIdentity":
      return { kind: "SpeakerIdentity", name: step.object.name, action: "delete" };
    case "DeleteKeySecret":
      return { kind: "Secret", name: `${namespace}/${step.object.name}`, action: "delete" };
    case "ReleaseService": {
      const { service, addresses, ingress, removeFinalizer, removeCondition } = step.release;
      const removed = [
        ...addresses,
        ...(removeFinalizer ? ["the finalizer"] : []),
        ...(removeCondition ? ["the condition"] : []),
      ];
      const kept = (ingress ?? service.ingress).map(({ ip }) => ip).filter((ip) => ip !== "");
      const stays = kept.length === 0 ? "" : `; keep ${kept.join(", ")}`;
      return { kind: "Service", name: service.key, action: `remove ${removed.join(", ")}${stays}` };
    }
  }
}

function resultOf(result: StepResult | undefined): Pick<UninstallLine, "result" | "why"> {
  if (result === undefined) return {};
  return result.kind === "failed" ? { result: result.kind, why: result.why } : { result: result.kind };
}
