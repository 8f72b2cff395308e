import type { z } from "zod";
import { shorten } from "../model/bounded-text.ts";
import { InvalidObject } from "./view-store.ts";

/**
 * A `project` for objects of Bellhop's own kinds: parses by their schema. The API server checks the same schema, so an invalid object
 * means that the definition in the cluster is not the one of this version, or that the object is older than the definition.
 */
export function parseObject<Schema extends z.ZodType>(
  schema: Schema,
): (raw: unknown) => z.infer<Schema> | InvalidObject {
  return (raw) => {
    const parsed = schema.safeParse(raw);
    if (parsed.success) return Object.freeze(parsed.data as object) as z.infer<Schema>;
    const faults = parsed.error.issues.slice(0, 5).map((issue) => {
      const field = issue.path.join(".");
      return `${field === "" ? "The object" : field} is ${describeValue(raw, issue.path)} (${issue.message}).`;
    });
    return new InvalidObject(faults.join(" "));
  };
}

function describeValue(raw: unknown, path: readonly PropertyKey[]): string {
  let value = raw;
  for (const step of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[step];
  return value === undefined ? "missing" : shorten(JSON.stringify(value) ?? typeof value, 100);
}
