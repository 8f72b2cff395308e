import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { reasonMessage } from "../../../../src/model/reason.ts";
import { allocateCase, assignmentText } from "./cases/allocation-case.ts";
import { allocationCases } from "./cases/allocation-cases.ts";

for (const [title, cases] of Object.entries(allocationCases)) {
  describe(`allocate: ${title}`, () => {
    for (const data of cases) {
      test(data.name, () => {
        const { assignments, reason, satisfied } = allocateCase(data);
        assert.deepEqual(assignments.map(assignmentText), data.assigns);
        const { code, field, value, names = [], hides = [] } = data.refuses ?? {};
        assert.deepEqual([reason?.code, reason?.field, reason?.value], [code, field, value]);
        assert.equal(satisfied, data.refuses === undefined || data.satisfied === true);
        if (reason === undefined) return;
        assert.match(reason.object, /^Service (\S+)\/web$/);
        for (const name of names)
          assert.ok(reasonMessage(reason).includes(name), `${reasonMessage(reason)} names ${name}`);
        for (const text of hides)
          assert.ok(!reasonMessage(reason).includes(text), `${reasonMessage(reason)} hides ${text}`);
      });
    }
  });
}
