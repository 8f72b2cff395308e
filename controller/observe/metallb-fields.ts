import { listSome } from "../../src/model/list-some.ts";
import { reasonOf } from "../../src/model/reason.ts";
import { RefusedObject } from "./refused-object.ts";

/**
 * Refuses an object of MetalLB with fields that Bellhop does not know. Its schema drops such fields, and without them the object would mean
 * something else: a restriction would be gone. `known`: what the schema has kept of `spec`. Undefined: every field is known.
 */
export function refuseUnknownFields(kind: string, raw: unknown, known: unknown): RefusedObject | undefined {
  const { metadata, spec } = raw as { metadata?: { namespace?: string; name?: string }; spec?: unknown };
  const unknown = unknownFields(spec, known, "spec");
  if (unknown.length === 0) return undefined;
  const object = `${kind} ${metadata?.namespace ?? ""}/${metadata?.name ?? ""} of MetalLB`;
  return new RefusedObject(reasonOf("MetallbFieldUnknown", { object, field: listSome(unknown), value: "" }));
}

/** The paths that are in the object and not in what the schema has kept. An unknown field without a value in Go, such as {}, counts too. */
function unknownFields(raw: unknown, known: unknown, path: string): readonly string[] {
  if (Array.isArray(raw)) {
    const items = Array.isArray(known) ? known : [];
    return raw.flatMap((item, index) => unknownFields(item, items[index], `${path}[${index}]`));
  }
  if (typeof raw !== "object" || raw === null) return [];
  const kept = (known ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(raw).flatMap(([key, value]) =>
    Object.hasOwn(kept, key) ? unknownFields(value, kept[key], `${path}.${key}`) : [`${path}.${key}`],
  );
}
