import fc from "fast-check";
import { drainAnnotation, nodeAnnotation } from "../../../../src/api/labels.ts";
import { isNotFound } from "../../../../src/kube/api-error.ts";
import { ownPath } from "../../../../src/kube/path.ts";
import { ownersOf, ownersTermOf } from "../../../../src/placement/owner-assignment.ts";
import { modelNodes, type ReplicatedCluster } from "./replicated-cluster.ts";
import { anyAddress, pace, stepOf } from "./step.ts";

const node = fc.constantFrom(...modelNodes);

async function patch({ cluster }: ReplicatedCluster, path: string, body: Record<string, unknown>): Promise<void> {
  try {
    await cluster.patch(path, body);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Speakers decide who announces; users pin addresses and cordon or drain nodes. None of it changes which Service has which address. */
export const ownerSteps = [
  fc.tuple(anyAddress, fc.nat(2), fc.nat(1), pace).map(([address, index, behind, speed]) =>
    stepOf({
      text: `owner ${index} announces ${address}, by a list ${behind} terms before the present one`,
      pace: speed,
      run: async (_, clusterState) => {
        const claims = await clusterState.cluster.validVirtualIps();
        const object = claims.find(({ spec }) => spec.address === address);
        const announcer = object === undefined ? undefined : ownersOf(object).owners[index];
        if (object === undefined || announcer === undefined) return;
        const status = { node: announcer, observedGeneration: ownersTermOf(object) - behind };
        await patch(clusterState, `${ownPath("virtualips", object.metadata.name)}/status`, { status });
      },
    }),
  ),
  fc.tuple(anyAddress, fc.option(fc.oneof(node, fc.constant("nosuch"))), pace).map(([address, pinned, speed]) =>
    stepOf({
      text: pinned === null ? `the pin of ${address} is removed` : `${address} is pinned to ${pinned}`,
      pace: speed,
      run: (_, clusterState) =>
        patch(clusterState, ownPath("virtualips", address.replaceAll(":", "-")), {
          metadata: { annotations: { [nodeAnnotation]: pinned } },
        }),
    }),
  ),
  fc.tuple(node, fc.boolean(), pace).map(([name, cordoned, speed]) =>
    stepOf({
      text: `${name} is ${cordoned ? "cordoned" : "uncordoned"}`,
      pace: speed,
      run: (_, clusterState) =>
        patch(clusterState, `/api/v1/nodes/${name}`, { spec: { unschedulable: cordoned ? true : null } }),
    }),
  ),
  fc.tuple(node, fc.boolean(), pace).map(([name, drained, speed]) =>
    stepOf({
      text: `${name} is ${drained ? "drained" : "undrained"}`,
      pace: speed,
      run: (_, clusterState) =>
        patch(clusterState, ownPath("speakers", name), {
          metadata: { annotations: { [drainAnnotation]: drained ? "true" : null } },
        }),
    }),
  ),
];
