import { admissionCases } from "./admission-cases.ts";
import { adoptedCases } from "./adopted-cases.ts";
import type { AllocationCase } from "./allocation-case.ts";
import { changedSharerCases } from "./changed-sharer-cases.ts";
import { choosePoolCases } from "./choose-pool-cases.ts";
import { familyCases } from "./family-cases.ts";
import { holdCases } from "./hold-cases.ts";
import { joiningCases } from "./joining-cases.ts";
import { keptCases, keptThoughRefusedCases, movedCases } from "./kept-cases.ts";
import { keptNodeCases } from "./kept-node-cases.ts";
import { metallbCases } from "./metallb-cases.ts";
import { nodeAddressCases } from "./node-address-cases.ts";
import { nodeRefusalCases } from "./node-refusal-cases.ts";
import { reassignCases } from "./reassign-cases.ts";
import { requestCases } from "./request-cases.ts";
import { reservationCases } from "./reservation-cases.ts";
import { sharedRequestCases } from "./shared-request-cases.ts";
import { sharingLimitCases } from "./sharing-limit-cases.ts";
import { shownElsewhereCases } from "./shown-elsewhere-cases.ts";

/** Every row of the table, by rule. */
export const allocationCases: Readonly<Record<string, readonly AllocationCase[]>> = {
  "requested addresses": requestCases,
  "families and ipFamilyPolicy": familyCases,
  "choice of a pool": choosePoolCases,
  serviceAllocation: admissionCases,
  "what a Service has stays": keptCases,
  "what stays with a refused request": keptThoughRefusedCases,
  "what makes a Service move": movedCases,
  "an address in the status without a VirtualIP": adoptedCases,
  "an address in the status of another Service": shownElsewhereCases,
  "an address held after its Service was deleted": holdCases,
  "bellhop.dev/reassign": reassignCases,
  "reservations made by the user": reservationCases,
  "sharing without a request": joiningCases,
  "sharing of a requested address": sharedRequestCases,
  "limits of sharing": sharingLimitCases,
  "sharers that change": changedSharerCases,
  "addresses of nodes: what is assigned": nodeAddressCases,
  "addresses of nodes: what is refused": nodeRefusalCases,
  "addresses of nodes: what stays": keptNodeCases,
  "annotations of MetalLB": metallbCases,
};
