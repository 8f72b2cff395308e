import assert from "node:assert/strict";
import { addressReadyCondition } from "../../../../src/api/labels.ts";
import { loadBalancerFinalizer } from "../../../../src/model/service.ts";
import type { Cluster } from "../fake-cluster/cluster.ts";

/** Checks that no Service but those named has an address, our condition or the finalizer, and that no VirtualIP is left where the kind exists. */
export async function expectNothingLeft(cluster: Cluster, others: readonly string[]): Promise<void> {
  for (const { metadata, status } of await cluster.services()) {
    const name = metadata?.name ?? "";
    if (others.includes(name)) continue;
    assert.deepEqual(status?.loadBalancer?.ingress ?? [], [], name);
    assert.ok(!(metadata?.finalizers ?? []).includes(loadBalancerFinalizer), name);
    assert.ok(!(status?.conditions ?? []).some(({ type }) => type === addressReadyCondition), name);
  }
  if (cluster.server.intercept === undefined) assert.deepEqual(await cluster.virtualIps(), []);
}
