import { apiGroup, apiVersion } from "../../src/api/api.ts";
import type { OpenApiSchema } from "./schema.ts";

/**
 * One column of `kubectl get`. `priority` 1 is shown with `-o wide` only. `jsonPath` must lead to a single value: the API server prints
 * a list as JSON, and of `[*]` only the first value (apiextensions-apiserver, tableconvertor.go).
 */
export interface PrinterColumn {
  readonly name: string;
  readonly type: "string" | "integer" | "boolean" | "date";
  readonly jsonPath: string;
  readonly description?: string;
  readonly priority?: 1;
}

export interface DefinitionParts {
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly columns: readonly PrinterColumn[];
  readonly status: boolean;
  readonly schema: OpenApiSchema;
}

/** The CustomResourceDefinition object of one kind: cluster-scoped, one version, in the category `bellhop`. */
export function customResourceDefinition(parts: DefinitionParts): Record<string, unknown> {
  const singular = parts.kind.toLowerCase();
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${parts.plural}.${apiGroup}`, labels: { "app.kubernetes.io/name": "bellhop" } },
    spec: {
      group: apiGroup,
      scope: "Cluster",
      names: {
        kind: parts.kind,
        listKind: `${parts.kind}List`,
        plural: parts.plural,
        singular,
        shortNames: parts.shortNames,
        categories: ["bellhop"],
      },
      versions: [
        {
          name: apiVersion,
          served: true,
          storage: true,
          ...(parts.status ? { subresources: { status: {} } } : {}),
          additionalPrinterColumns: parts.columns,
          schema: { openAPIV3Schema: parts.schema },
        },
      ],
    },
  };
}

/** The root of an object's schema; metadata is defined by the API server, except for its name, which CEL rules read. */
export function objectSchema(description: string, properties: Record<string, OpenApiSchema>): OpenApiSchema {
  return {
    type: "object",
    description,
    ...("spec" in properties ? { required: ["spec"] } : {}),
    properties: {
      apiVersion: { type: "string", description: "Version of the API: bellhop.dev/v1beta1." },
      kind: { type: "string", description: "Kind of the object." },
      // A description too would be refused: only name and generateName may be specified (apiextensions validation).
      metadata: { type: "object" },
      ...properties,
    },
  };
}

export const ageColumn: PrinterColumn = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };
