import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { planService } from "../../../../controller/services/plan-service.ts";
import type { ServiceOp } from "../../../../controller/services/service-plan.ts";
import { invalidSettings } from "../../../../src/model/invalid-settings.ts";
import { reasonMessage } from "../../../../src/model/reason.ts";
import { allocationsOf, serviceOf } from "../allocate/cases/allocation-case.ts";
import { opText, planCase } from "./cases/plan-case.ts";
import { planCases } from "./plan-service-cases.ts";

describe("planService", () => {
  for (const data of planCases) {
    test(data.name, () => {
      const { ops, again } = planCase(data);
      assert.deepEqual(ops.map(opText), data.ops);
      assert.equal(again, data.again === true);
    });
  }
});

describe("settings that cannot be read", () => {
  const claims = [{ address: "192.0.2.10", pool: "lan", services: ["web"] }];
  const annotations = {
    "bellhop.dev/forwarding": "magic",
    "service.beta.kubernetes.io/load-balancer-source-ranges": "192.0.2.0/33, 192.0.2.0/24",
  };
  const service = serviceOf({ shows: ["192.0.2.10"], ours: true, annotations });
  const plan = (view: typeof service, announced = true): readonly ServiceOp[] =>
    planService({
      key: "default/web",
      service: view,
      allocations: allocationsOf({ claims }),
      namespaceLabels: {},
      defaultClass: true,
      hasAnnouncer: () => announced,
    }).ops;
  const conditionIn = (ops: readonly ServiceOp[]) => {
    const patch = ops.find((op) => op.kind === "PatchStatus");
    assert.ok(patch !== undefined);
    return patch.condition;
  };

  test("are at the end of the condition's message, with their cures", () => {
    const [first, second] = invalidSettings(service).map(reasonMessage);
    assert.equal(conditionIn(plan(service)).message, `192.0.2.10. ${first} ${second}`);
    assert.match(conditionIn(plan(service, false)).message, /cannot|no node/);
    assert.ok(conditionIn(plan(service, false)).message.endsWith(` ${first} ${second}`));
  });

  test("are reported once, however often the Service is planned, and by whichever controller", () => {
    const written = { ...service, addressReady: conditionIn(plan(service)) };
    assert.deepEqual(plan(written), []);
    const silent = plan(written, false);
    assert.deepEqual(silent.map(opText), ["Patch False NoAnnouncer", "Warning NoAnnouncer"]);
    assert.deepEqual(plan({ ...written, addressReady: conditionIn(silent) }).map(opText), [
      "Patch True AddressAssigned",
    ]);
  });

  test("are reported again with another value, and leave the condition once they are right", () => {
    const written = { ...service, addressReady: conditionIn(plan(service)) };
    const changed = { ...written, annotations: { ...annotations, "bellhop.dev/forwarding": "wand" } };
    assert.deepEqual(plan(changed).map(opText), ["Patch True AddressAssigned", "Warning ForwardingInvalid"]);
    const corrected = { ...written, annotations: {}, sourceRanges: [] };
    assert.equal(conditionIn(plan(corrected)).message, "192.0.2.10");
  });
});
