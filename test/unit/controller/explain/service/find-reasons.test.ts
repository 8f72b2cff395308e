import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createPalette } from "../../../../../src/cli/text/palette.ts";
import { renderService } from "../../../../../src/cli/text/service.ts";
import { reasonMessage } from "../../../../../src/model/reason.ts";
import { explainCase, findReasonsCases } from "./find-reasons-cases.ts";

describe("why a Service is not served", () => {
  for (const data of findReasonsCases) {
    test(data.name, () => {
      const explanation = explainCase(data);
      assert.deepEqual(
        explanation.reasons.map(({ code, object, field, value }) => ({ code, object, field, value })),
        data.reasons.map(({ code, object = "Service default/web", field, value }) => ({ code, object, field, value })),
      );
      assert.equal(explanation.served, data.reasons.length === 0);
      const text = renderService(explanation, createPalette(false));
      for (const [index, reason] of explanation.reasons.entries()) {
        for (const name of data.reasons[index]?.names ?? []) assert.ok(reasonMessage(reason).includes(name), name);
        assert.ok(text.includes(reason.cure), "the cure is in the text");
      }
    });
  }
});
