import type { V1ManagedFieldsEntry } from "@kubernetes/client-node";

/** The client that wrote status.loadBalancer.ingress last, by the name of its field manager. Undefined: none is recorded. */
export function ingressManager(entries: readonly V1ManagedFieldsEntry[]): string | undefined {
  const writers = entries.filter(({ fieldsV1 }) => {
    const fields = fieldsV1 as { "f:status"?: { "f:loadBalancer"?: { "f:ingress"?: unknown } } } | undefined;
    return fields?.["f:status"]?.["f:loadBalancer"]?.["f:ingress"] !== undefined;
  });
  const timeOf = ({ time }: V1ManagedFieldsEntry): number => (time === undefined ? 0 : Date.parse(String(time)));
  return writers.sort((a, b) => timeOf(b) - timeOf(a))[0]?.manager;
}
