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
    assert.equal(committed, definitionText(definition), "run: npm run docs");
  });
}

/** The paths of texts, lists and maps that nothing bounds. */
function unbounded(schema: OpenApiSchema, path: string): readonly string[] {
  const { type, properties = {}, items, additionalProperties } = schema;
  const bound = { string: schema.maxLength ?? schema.enum ?? schema.format, array: schema.maxItems }[type ?? ""];
  const free =
    type === "object" && additionalProperties !== undefined
      ? schema.maxProperties === undefined
      : bound === undefined && (type === "string" || type === "array");
  return [
    ...(free ? [path] : []),
    ...Object.entries(properties).flatMap(([name, child]) => unbounded(child, `${path}.${name}`)),
    ...(items === undefined ? [] : unbounded(items, `${path}[]`)),
    ...(additionalProperties === undefined ? [] : unbounded(additionalProperties, `${path}{}`)),
  ];
}

describe("the API server bounds every text and every list", () => {
  for (const [file, definition] of definitions) {
    const { versions } = definition.spec as {
      readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: OpenApiSchema } }];
    };
    const { properties = {} } = versions[0].schema.openAPIV3Schema;
    for (const part of ["spec", "status"]) {
      const schema = properties[part];
      if (schema !== undefined) test(`${part} of ${file}`, () => assert.deepEqual(unbounded(schema, part), []));
    }
  }
});

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
