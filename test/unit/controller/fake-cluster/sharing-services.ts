import type { Cluster } from "./cluster.ts";

/** Metadata of Services that share an address. */
export const share = { annotations: { "bellhop.dev/share": "front" } };

/** `spec.ports` with one port. */
export function port(number: number, protocol = "TCP") {
  return [{ port: number, protocol, nodePort: 30000 + number }];
}

/** Names of the Services that each VirtualIP names. */
export async function holders(cluster: Cluster): Promise<Record<string, readonly string[]>> {
  const claims = await cluster.virtualIps();
  return Object.fromEntries(
    claims.map(({ metadata, spec }) => [metadata.name, spec.services.map(({ name }) => name).sort()]),
  );
}
