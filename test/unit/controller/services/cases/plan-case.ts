import { planService } from "../../../../../controller/services/plan-service.ts";
import type { ServiceOp } from "../../../../../controller/services/service-plan.ts";
import { formatAddress } from "../../../../../src/ip/address.ts";
import { allocationsOf, type ClusterData, type ServiceData, serviceOf } from "../../allocate/cases/allocation-case.ts";

/** One row: what there is, and all that is to be done for the Service `default/web`. */
export interface PlanCase extends ClusterData {
  readonly name: string;
  /** Undefined: a bare one. `gone`: there is no such Service. */
  readonly service?: ServiceData | "gone";
  /** Services without a class belong to others. */
  readonly noDefaultClass?: true;
  /** Another client that replaces the addresses. */
  readonly otherManager?: string;
  /** No node may announce an address. */
  readonly noAnnouncer?: true;
  /** In order, as `opText` writes them. */
  readonly ops: readonly string[];
  /** The Service is planned again at once. */
  readonly again?: true;
}

/** What most rows begin with: a pool, the claim of the Service in it, and the Service that shows its address. */
export const lan = { name: "lan", addresses: ["192.0.2.10-192.0.2.12"] };
export const holding = { ...lan, spec: { holdAfterDelete: "10m" } };
export const mine = { address: "192.0.2.10", pool: "lan", services: ["web"] };
export const shown = { shows: ["192.0.2.10"], ours: true } as const;
export const reference = { namespace: "default", name: "web" };
export const front = { key: "front", ports: ["81/TCP"], backends: "Cluster" };
export const assigned = "True AddressAssigned";

/** The plan for the Service of the case. */
export function planCase(data: PlanCase): ReturnType<typeof planService> {
  return planService({
    key: "default/web",
    service: data.service === "gone" ? undefined : serviceOf(data.service),
    allocations: allocationsOf(data),
    namespaceLabels: data.namespaceLabels ?? {},
    defaultClass: data.noDefaultClass === undefined,
    otherManager: data.otherManager,
    hasAnnouncer: () => data.noAnnouncer === undefined,
  });
}

/** How cases write an op. */
export function opText(op: ServiceOp): string {
  switch (op.kind) {
    case "Event":
      return `${op.type} ${op.reason}`;
    case "CreateVirtualIp":
      return `Create ${formatAddress(op.address)}`;
    case "JoinVirtualIp":
      return `Join ${formatAddress(op.claim.address)}`;
    case "ReleaseVirtualIp":
      return `Release ${formatAddress(op.claim.address)}${op.holdMs > 0 ? `, hold ${op.holdMs / 1000} s` : ""}`;
    case "PatchStatus": {
      const ingress = op.ingress === undefined ? "" : `[${op.ingress.map(({ ip }) => ip).join(", ")}] `;
      const finalizer = op.finalizer === undefined ? "" : op.finalizer === "add" ? ", finalizer" : ", no finalizer";
      return `Patch ${ingress}${op.condition.status} ${op.condition.reason}${finalizer}`;
    }
    case "LeaveService":
      return `Leave${op.removeFinalizer ? " finalizer" : ""}${op.clearIngress ? " ingress" : ""}`;
  }
}
