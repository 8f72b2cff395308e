import { z } from "zod";

/** The part of an OpenAPI v3 schema that a structural CRD schema may have. */
export interface OpenApiSchema {
  type?: string;
  description?: string;
  properties?: Record<string, OpenApiSchema>;
  additionalProperties?: OpenApiSchema;
  items?: OpenApiSchema;
  required?: string[];
  enum?: string[];
  default?: unknown;
  minItems?: number;
  maxItems?: number;
  maxLength?: number;
  maxProperties?: number;
  minimum?: number;
  maximum?: number;
  format?: string;
  "x-kubernetes-validations"?: Validation[];
  "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  "x-kubernetes-list-map-keys"?: string[];
}

/** One CEL rule (Kubernetes: CustomResourceDefinition validation rules). */
export interface Validation {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
}

/** Keys of JSON Schema that zod writes and that a structural schema has a place for. */
const keptKeys = [
  "type",
  "description",
  "required",
  "enum",
  "default",
  "minItems",
  "maxItems",
  "maxLength",
  "maxProperties",
  "minimum",
  "format",
] as const;

/**
 * Turns a zod schema into the structural OpenAPI schema of a CRD, as the API server sees input (defaults not required).
 * Throws for what a structural schema cannot say (unions, tuples), so that the two can never drift apart in silence.
 */
export function structuralSchema(schema: z.ZodType): OpenApiSchema {
  return toStructural(z.toJSONSchema(schema, { target: "openapi-3.0", io: "input" }) as JsonNode, "");
}

interface JsonNode {
  readonly [key: string]: unknown;
}

function toStructural(node: JsonNode, path: string): OpenApiSchema {
  for (const key of ["anyOf", "oneOf", "allOf", "$ref", "prefixItems"]) {
    if (node[key] !== undefined) throw new TypeError(`${path}: ${key} has no place in a structural schema`);
  }
  const result: Record<string, unknown> = {};
  for (const key of keptKeys) {
    if (node[key] !== undefined && !isDefaultBound(key, node[key])) result[key] = node[key];
  }
  if (node.properties !== undefined) {
    result.properties = Object.fromEntries(
      Object.entries(node.properties as Record<string, JsonNode>).map(([name, child]) => [
        name,
        toStructural(child, `${path}.${name}`),
      ]),
    );
  }
  if (node.items !== undefined) result.items = toStructural(node.items as JsonNode, `${path}[]`);
  if (typeof node.additionalProperties === "object" && node.additionalProperties !== null) {
    result.additionalProperties = toStructural(node.additionalProperties as JsonNode, `${path}{}`);
  }
  return result as OpenApiSchema;
}

/** zod bounds every integer by what a double holds exactly; said in each schema it would only be noise. */
function isDefaultBound(key: string, value: unknown): boolean {
  return key === "minimum" && value === Number.MIN_SAFE_INTEGER;
}

/** The schema at a path such as `spec.addresses[]`, to hang CEL rules and list types on. Throws where there is none. */
export function at(schema: OpenApiSchema, path: string): OpenApiSchema {
  let place: OpenApiSchema | undefined = schema;
  for (const step of path.split(".").flatMap((name) => (name.endsWith("[]") ? [name.slice(0, -2), "[]"] : [name]))) {
    place = step === "[]" ? place?.items : place?.properties?.[step];
    if (place === undefined) throw new TypeError(`the schema has no ${path}`);
  }
  return place;
}
