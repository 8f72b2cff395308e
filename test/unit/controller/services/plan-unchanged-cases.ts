import type { ReasonCode } from "../../../../src/model/reason.ts";
import type { ServiceData } from "../allocate/cases/allocation-case.ts";

/** One row: a Service that has to stay as it is, and all that is written for it. */
export interface UnchangedCase {
  readonly name: string;
  readonly code: ReasonCode;
  readonly service: ServiceData;
  readonly ops: readonly string[];
  /** How the message of the condition begins. */
  readonly begins?: string;
}

export const unchangedCases: readonly UnchangedCase[] = [
  {
    name: "a new Service that could not be updated",
    code: "SyncFailed",
    service: {},
    ops: ["Patch False SyncFailed", "Warning SyncFailed"],
    begins: "Service default/web could not be updated. It was refused.",
  },
  {
    name: "a Service of ours: its condition still names what we assigned",
    code: "SyncFailed",
    service: { ours: true, shows: ["192.0.2.10", "2001:db8::10"] },
    ops: ["Patch False SyncFailed", "Warning SyncFailed"],
    begins: "Still assigned: 192.0.2.10, 2001:db8::10. Service default/web could not be updated.",
  },
  {
    name: "a Service that another controller serves: only an event",
    code: "SyncFailed",
    service: { finalizer: true, shows: ["203.0.113.1"] },
    ops: ["Warning SyncFailed"],
  },
];
