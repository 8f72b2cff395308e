import fc from "fast-check";
import { patchTypes } from "../../../../src/kube/client.ts";
import { servicePath } from "../../../../src/kube/path.ts";
import { loadBalancerFinalizer } from "../../../../src/model/service.ts";
import { type Model, otherCondition, touch } from "./model.ts";
import type { ReplicatedCluster } from "./replicated-cluster.ts";
import { anyAddress, pace, serviceName, stepOf } from "./step.ts";

/** Addresses of the other load balancer, and some that Bellhop has pools of. */
const otherAddress = fc.oneof(
  { arbitrary: fc.constantFrom("198.51.100.7", "198.51.100.8", "2001:db8:ffff::7"), weight: 2 },
  { arbitrary: anyAddress, weight: 1 },
);

interface OtherStatus {
  readonly address: string;
  /** Whether it keeps the addresses that the status shows. */
  readonly keeps: boolean;
  readonly finalizes: boolean;
}

/** What cloud controllers and other load balancers do to a Service that they take for theirs. */
export async function writeStatus(
  model: Model,
  clusterState: ReplicatedCluster,
  name: string,
  { address, keeps, finalizes }: OtherStatus,
): Promise<void> {
  const { cluster } = clusterState;
  const object = await cluster.service(name);
  if (object === undefined) return;
  const { ingress: present = [] } = object.status?.loadBalancer ?? {};
  const kept = keeps ? present.flatMap(({ ip }) => (ip === undefined || ip === address ? [] : [ip])) : [];
  const ingress = [...kept, address].map((ip) => ({ ip, ipMode: "VIP" }));
  const status = { loadBalancer: { ingress }, conditions: [{ type: otherCondition, status: "True" }] };
  const metadata = finalizes ? { finalizers: [loadBalancerFinalizer] } : {};
  const path = `${servicePath("default", name)}/status`;
  const body = { metadata, status };
  await cluster.server.request({ method: "PATCH", path, body, contentType: patchTypes.strategic });
  // What it keeps of ours is ours.
  const before = keeps ? (model.written.get(name) ?? []) : [];
  model.written.set(name, [...before.filter((other) => other !== address), address]);
  model.writtenSince.set(name, new Set([...(model.writtenSince.get(name) ?? []), address]));
  model.visited.add(name);
  if (finalizes) model.finalized.add(name);
  touch(model, name);
  clusterState.expectDelays();
}

/** Another load balancer writes the status and the finalizer of Services, of its own class and of others. */
export const besideSteps = [
  fc
    .tuple(
      serviceName,
      fc.record({ address: otherAddress, keeps: fc.constantFrom(false, false, true), finalizes: fc.boolean() }),
      pace,
    )
    .map(([name, written, speed]) =>
      stepOf({
        text: `the other load balancer writes ${JSON.stringify(written)} into ${name}`,
        pace: speed,
        check: (model) => model.services.get(name)?.type === "LoadBalancer",
        run: (model, clusterState) => writeStatus(model, clusterState, name, written),
      }),
    ),
];
