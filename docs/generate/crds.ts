import { z } from "zod";
import { type OpenApiSchema, structuralSchema } from "../../deploy/crds/schema.ts";
import { conditionSchema, labelSelectorSchema } from "../../src/api/api.ts";
import { celText } from "./cel-text.ts";
import { anchorOf, code, codeList, escapeText, generatedFrom, table } from "./markdown.ts";

/** What the page needs of a CustomResourceDefinition. */
const definitionSchema = z.object({
  spec: z.object({
    group: z.string(),
    scope: z.string(),
    names: z.object({ kind: z.string(), plural: z.string(), shortNames: z.array(z.string()) }),
    versions: z.tuple([
      z.object({ name: z.string(), schema: z.object({ openAPIV3Schema: z.custom<OpenApiSchema>() }) }),
    ]),
  }),
});
type Definition = z.infer<typeof definitionSchema>;

/** Types of Kubernetes itself, by what their schema looks like. They are named instead of being listed field by field. */
const knownTypes: ReadonlyMap<string, string> = new Map([
  [shapeOf(structuralSchema(conditionSchema)), "Condition"],
  [shapeOf(structuralSchema(labelSelectorSchema)), "LabelSelector"],
]);

/** A field and where it is. */
interface Field {
  /** `spec.services[].name`. */
  readonly path: string;
  readonly schema: OpenApiSchema;
  readonly required: boolean;
}

/** The whole of docs/reference/crds.md, from CustomResourceDefinition objects in the order of the chapters. */
export function crdsPage(definitions: readonly unknown[]): string {
  const parsed = definitions.map((definition) => definitionSchema.parse(definition));
  return [introduction(parsed), ...parsed.map(chapter)].join("\n");
}

function introduction(definitions: readonly Definition[]): string {
  const rows = definitions.map(({ spec: { names, versions } }) => [
    `[${names.kind}](#${anchorOf(names.kind)})`,
    codeList([names.plural, ...names.shortNames]),
    escapeText(versions[0].schema.openAPIV3Schema.description ?? ""),
  ]);
  const groups = new Set(definitions.map(({ spec }) => `${spec.group}/${spec.versions[0].name}`));
  const scopes = new Set(definitions.map(({ spec }) => spec.scope.toLowerCase()));
  return `# Custom resources

${generatedFrom("the CustomResourceDefinitions in deploy/crds")}

The kinds of Bellhop have the apiVersion \`${[...groups].join(", ")}\` and are ${[...scopes].join(", ")}-scoped. \`kubectl explain\` shows the same fields.
A field without "required" among its constraints may be left out.

${table(["Kind", "Names for kubectl", "Purpose"], rows)}`;
}

function chapter({ spec: { names, versions } }: Definition): string {
  const { openAPIV3Schema: root } = versions[0].schema;
  const parts = [`## ${names.kind}\n\n${root.description ?? ""}\n`];
  for (const part of ["spec", "status"]) {
    const schema = root.properties?.[part];
    if (schema === undefined) continue;
    const rows = fieldsBelow(schema, part).map((field) => [
      code(field.path),
      typeOf(field.schema),
      constraintsOf(field).join("; "),
      escapeText(field.schema.description ?? ""),
    ]);
    parts.push(`### ${names.kind} ${part}\n\n${table(["Field", "Type", "Constraints", "Description"], rows)}`);
  }
  const rules = rulesOf(root, "").map(([path, message]) => [
    path === "" ? "the object" : code(path),
    escapeText(message),
  ]);
  if (rules.length > 0) {
    const intro = "The API server rejects an object that breaks one of these rules, with this message:";
    parts.push(`### ${names.kind} validation\n\n${intro}\n\n${table(["Field", "Message"], rules)}`);
  }
  return parts.join("\n");
}

/** In the order of the schema, which puts what matters most first. */
function fieldsBelow(schema: OpenApiSchema, path: string): readonly Field[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const field = { path: `${path}.${name}`, schema: child, required: schema.required?.includes(name) ?? false };
    const [inner, step] = child.items === undefined ? [child, ""] : [child.items, "[]"];
    return [field, ...(knownTypes.has(shapeOf(inner)) ? [] : fieldsBelow(inner, `${field.path}${step}`))];
  });
}

/** As `kubectl explain` writes it; a type of Kubernetes links to its definition. */
function typeOf(schema: OpenApiSchema): string {
  if (schema.items !== undefined) return `\\[]${typeOf(schema.items)}`;
  if (schema.additionalProperties !== undefined) return `map\\[string]${typeOf(schema.additionalProperties)}`;
  const known = knownTypes.get(shapeOf(schema));
  if (known === undefined) return schema.type ?? "";
  return `[${known}](https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#${known})`;
}

function constraintsOf({ schema, required }: Field): readonly string[] {
  return [
    ...(required ? ["required"] : []),
    ...valueConstraintsOf(schema),
    ...(schema.minItems === undefined ? [] : [`at least ${count(schema.minItems, "item")}`]),
    ...(schema.maxItems === undefined ? [] : [`at most ${count(schema.maxItems, "item")}`]),
    ...valueConstraintsOf(schema.items ?? {}).map((constraint) => `each ${constraint}`),
    ...(schema.default === undefined ? [] : [`default ${code(defaultText(schema.default))}`]),
  ];
}

/** What holds for one value, which may be an item of a list. */
function valueConstraintsOf({ enum: choices, format, minimum, maximum, maxLength }: OpenApiSchema): readonly string[] {
  return [
    ...(choices === undefined ? [] : [`one of ${codeList(choices)}`]),
    ...(format === undefined ? [] : [`format ${code(format)}`]),
    ...(minimum === undefined ? [] : [`at least ${minimum}`]),
    ...(maximum === undefined ? [] : [`at most ${maximum}`]),
    ...(maxLength === undefined ? [] : [`at most ${count(maxLength, "character")}`]),
  ];
}

function defaultText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value).replaceAll('","', '", "');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** Path and message of every CEL rule, outer objects first. */
function rulesOf(schema: OpenApiSchema, path: string): readonly (readonly [string, string])[] {
  const own = (schema["x-kubernetes-validations"] ?? []).map(
    ({ rule, message, messageExpression }): readonly [string, string] => [
      path,
      messageExpression === undefined ? (message ?? rule) : celText(messageExpression),
    ],
  );
  const children = Object.entries(schema.properties ?? {});
  const below = children.flatMap(([name, child]) => rulesOf(child, path === "" ? name : `${path}.${name}`));
  return [...own, ...below, ...(schema.items === undefined ? [] : rulesOf(schema.items, `${path}[]`))];
}

/** The schema as text, without what is said about one use of it. */
function shapeOf({ description: _, ...schema }: OpenApiSchema): string {
  return JSON.stringify(schema);
}
