import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { reasonCodes } from "../../../src/model/reason.ts";
import { hostFaultCases } from "../speaker/host-checks/host-fault-cases.ts";
import { heartbeatFaultCases } from "../speaker/peers/heartbeat-fault-cases.ts";
import { membershipCases } from "./allocate/allocations/pool-membership-cases.ts";
import { allocationCases } from "./allocate/cases/allocation-cases.ts";
import { evaluateCases } from "./allocate/choose/evaluate-pool-cases.ts";
import { claimCases } from "./allocate/claim/claim-cases.ts";
import { rejectedPoolCases } from "./allocate/pool/rejected-pool-cases.ts";
import { manifestCases } from "./explain/pools/manifest-cases.ts";
import { findReasonsCases } from "./explain/service/find-reasons-cases.ts";
import { drainCases } from "./moves/drain-cases.ts";
import { moveCases } from "./moves/move-cases.ts";
import { externalIpCases } from "./observe/external-ip-cases.ts";
import { refusedAdvertisementCases } from "./observe/refused-advertisement-cases.ts";
import { planCases } from "./services/plan-service-cases.ts";
import { unchangedCases } from "./services/plan-unchanged-cases.ts";

/** The tables whose rows say which reason comes of what, by the test that runs them. */
const tables: Readonly<Record<string, readonly string[]>> = {
  "allocate/allocate.test.ts": Object.values(allocationCases)
    .flat()
    .flatMap(({ refuses }) => refuses?.code ?? []),
  "allocate/claim/claim.test.ts": claimCases.flatMap(({ refuses }) => refuses?.code ?? []),
  "allocate/choose/evaluate-pool.test.ts": evaluateCases.flatMap(({ answers }) =>
    answers.map((text) => text.split(" ")[1] ?? ""),
  ),
  "allocate/allocations/pool-membership.test.ts": membershipCases.flatMap(({ refuses }) => refuses?.code ?? []),
  "allocate/pool/pool-set.test.ts": rejectedPoolCases.map(({ refuses }) => refuses.code),
  "explain/pools/plan-pools.test.ts": manifestCases.flatMap(({ faults }) =>
    faults.map((text) => text.split(" ")[1] ?? ""),
  ),
  "observe/observed-advertisements.test.ts": refusedAdvertisementCases.map(({ code }) => code),
  "observe/observed-services.test.ts": externalIpCases.map(({ code }) => code),
  "explain/service/find-reasons.test.ts": findReasonsCases.flatMap(({ reasons }) => reasons.map(({ code }) => code)),
  "moves/move-address.test.ts": moveCases.map(({ code }) => code),
  "moves/drain-node.test.ts": drainCases.map(({ code }) => code),
  "services/plan-unchanged.test.ts": unchangedCases.map(({ code }) => code),
  "speaker/host-checks/host-faults.test.ts": hostFaultCases.flatMap(({ faults }) =>
    faults.map((text) => text.split(" ")[1] ?? ""),
  ),
  "speaker/peers/heartbeat-checks.test.ts": heartbeatFaultCases.flatMap(({ code }) => code ?? []),
  "services/plan-service.test.ts": planCases.flatMap(({ ops }) => ops.map((text) => text.split(" ")[1] ?? "")),
};

describe("each reason code occurs in a row of a table", () => {
  for (const code of reasonCodes) {
    test(code, () => {
      const found = Object.entries(tables).filter(([, codes]) => codes.includes(code));
      assert.ok(found.length > 0, `${code} has a row in none of ${Object.keys(tables).join(", ")}`);
    });
  }
});
