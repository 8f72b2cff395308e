import type { Fault, Step } from "./proxy.ts";

/** What can happen to a request, as the table names it. */
export const requestFaults: readonly { readonly name: string; readonly key: string; readonly fault: Fault }[] = [
  { key: "lost", name: "connection cut before the request arrives", fault: { kind: "cut", done: false } },
  { key: "unheard", name: "connection cut after the write was done", fault: { kind: "cut", done: true } },
  { key: "s409", name: "409 Conflict", fault: { kind: "answer", status: 409, reason: "Conflict" } },
  { key: "s410", name: "410 Gone", fault: { kind: "answer", status: 410, reason: "Expired" } },
  {
    key: "s429",
    name: "429 with Retry-After: 1",
    fault: { kind: "answer", status: 429, reason: "TooManyRequests", retryAfter: 1 },
  },
  { key: "s500", name: "500", fault: { kind: "answer", status: 500, reason: "InternalError" } },
  { key: "mute", name: "30 s of silence, the write not done", fault: { kind: "silence", done: false } },
  { key: "deaf", name: "30 s of silence after the write was done", fault: { kind: "silence", done: true } },
];

/** The writes of a Service, as the table names them. */
export const stepNames: Readonly<Record<Step, string>> = {
  claim: "claim (create VirtualIP)",
  show: "show (status, finalizer)",
  release: "release (delete VirtualIP)",
  leave: "leave (remove the finalizer)",
};

export function isCreating(step: Step): boolean {
  return step === "claim" || step === "show";
}
