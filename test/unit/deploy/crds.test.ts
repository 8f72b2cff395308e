import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { z } from "zod";
import { definitionText } from "../../../deploy/crds/generate.ts";
import { definitions } from "../../../deploy/crds/kinds.ts";
import { at, type OpenApiSchema, structuralSchema } from "../../../deploy/crds/schema.ts";

for (const [file, definition] of definitions) {
  test(`deploy/base/crds/${file} says what the zod schema says`, () => {
    const committed = readFileSync(new URL(`../../../deploy/base/crds/${file}`, import.meta.url), "utf8");
    assert.equal(committed, definitionText(definition), "run: node deploy/crds/generate.ts");
  });
}

test("a schema that a CRD cannot express is refused, with its path", () => {
  const schema = z.object({ spec: z.object({ port: z.union([z.string(), z.int()]) }) });
  assert.throws(() => structuralSchema(schema), /\.spec\.port: anyOf/);
});

test("optional and defaulted fields are not required of the user", () => {
  const schema = z.object({ named: z.string(), maybe: z.string().optional(), count: z.int().default(3) });
  assert.deepEqual(structuralSchema(schema), {
    type: "object",
    required: ["named"],
    properties: { named: { type: "string" }, maybe: { type: "string" }, count: { type: "integer", default: 3 } },
  });
});

for (const [file, definition] of definitions) {
  test(`${file} says nothing of metadata but its type, or the API server refuses the kind`, () => {
    const { versions } = definition.spec as { versions: readonly { schema: { openAPIV3Schema: OpenApiSchema } }[] };
    for (const { schema } of versions) assert.deepEqual(at(schema.openAPIV3Schema, "metadata"), { type: "object" });
  });
}

describe("columns of kubectl get", () => {
  for (const [file, definition] of definitions) {
    const { versions } = definition.spec as {
      readonly versions: readonly [
        {
          readonly additionalPrinterColumns: readonly { readonly name: string; readonly jsonPath: string }[];
          readonly schema: { readonly openAPIV3Schema: OpenApiSchema };
        },
      ];
    };
    const [{ additionalPrinterColumns, schema }] = versions;
    for (const { name, jsonPath } of additionalPrinterColumns.filter(
      ({ jsonPath: path }) => !path.startsWith(".metadata"),
    )) {
      test(`${name} of ${file} is a single value, not a list that is printed as JSON`, () => {
        assert.doesNotMatch(jsonPath, /\[\*\]/, "of [*] only the first value is printed");
        const path = jsonPath.slice(1).replace(/\[[^\]]*\]/g, "[]");
        assert.ok(!["array", "object"].includes(String(at(schema.openAPIV3Schema, path).type)), jsonPath);
      });
    }
  }
});
