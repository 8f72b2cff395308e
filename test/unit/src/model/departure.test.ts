import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { V1Node } from "@kubernetes/client-node";
import { type Departure, departureOf, departureRank, describeDeparture } from "../../../../src/model/departure.ts";

const taint = (key: string): V1Node => ({ spec: { taints: [{ key, effect: "NoSchedule" }] } });
const ready = (status: string, message: string): V1Node => ({
  status: { conditions: [{ type: "Ready", status, message }] },
});

const cases: readonly { readonly name: string; readonly node: V1Node; readonly departure?: Departure }[] = [
  { name: "a Node without anything", node: {} },
  { name: "one that is ready", node: ready("True", "kubelet is posting ready status") },
  { name: "one that is not ready", node: ready("False", "container runtime is down") },
  { name: "a taint of its user", node: taint("example.com/gpu") },
  { name: "the soft taint of the autoscaler", node: taint("DeletionCandidateOfClusterAutoscaler") },
  { name: "a cordoned one", node: { spec: { unschedulable: true } }, departure: "Cordoned" },
  {
    name: "one that is being deleted",
    node: { metadata: { deletionTimestamp: new Date(0) } },
    departure: "NodeBeingDeleted",
  },
  { name: "the taint of the autoscaler", node: taint("ToBeDeletedByClusterAutoscaler"), departure: "ScaledDown" },
  { name: "the taint of Karpenter", node: taint("karpenter.sh/disrupted"), departure: "ScaledDown" },
  { name: "out of service", node: taint("node.kubernetes.io/out-of-service"), departure: "OutOfService" },
  { name: "off, as its cloud says", node: taint("node.cloudprovider.kubernetes.io/shutdown"), departure: "ShutDown" },
  { name: "a graceful shutdown", node: ready("False", "[node is shutting down]"), departure: "ShuttingDown" },
  {
    name: "a cordoned one that the autoscaler removes",
    node: { spec: { unschedulable: true, taints: [{ key: "ToBeDeletedByClusterAutoscaler", effect: "NoSchedule" }] } },
    departure: "ScaledDown",
  },
];

describe("why a node departs", () => {
  for (const { name, node, departure } of cases) {
    test(`${name}: ${departure ?? "it stays"}`, () => {
      assert.equal(departureOf(node), departure);
      assert.equal(departureRank(departure), departure === undefined ? 0 : departure === "Cordoned" ? 1 : 2);
      if (departure !== undefined) assert.match(describeDeparture(departure), /\w+/);
    });
  }
});
