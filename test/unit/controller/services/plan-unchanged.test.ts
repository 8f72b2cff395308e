import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { planUnchanged } from "../../../../controller/services/plan-refused.ts";
import { reasonOf } from "../../../../src/model/reason.ts";
import { serviceOf } from "../allocate/cases/allocation-case.ts";
import { opText } from "./cases/plan-case.ts";
import { unchangedCases } from "./plan-unchanged-cases.ts";

describe("planUnchanged", () => {
  for (const { name, code, service: data, ops: expected, begins } of unchangedCases) {
    test(name, () => {
      const service = serviceOf(data);
      const about = { object: `Service ${service.key}`, field: "", value: "", detail: "It was refused." };
      const { ops } = planUnchanged(service, reasonOf(code, about));
      assert.deepEqual(ops.map(opText), expected);
      const patch = ops.find((op) => op.kind === "PatchStatus");
      if (begins !== undefined) assert.ok(patch?.condition.message.startsWith(begins), patch?.condition.message);
    });
  }
});
