import type { V1Namespace } from "@kubernetes/client-node";

/** What Bellhop reads of a Namespace, frozen. */
export interface NamespaceView {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export function projectNamespace(raw: V1Namespace): NamespaceView {
  return Object.freeze({ name: raw.metadata?.name ?? "", labels: raw.metadata?.labels ?? {} });
}
