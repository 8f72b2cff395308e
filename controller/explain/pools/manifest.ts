import { isMap, isSeq, LineCounter, type Node, parseAllDocuments } from "yaml";
import type { z } from "zod";
import { groupVersion } from "../../../src/api/api.ts";
import {
  type IPAddressPool,
  ipAddressPoolSchema,
  ipAddressPoolSpecSchema,
  serviceAllocationSchema,
} from "../../../src/api/ip-address-pool.ts";
import { type Reason, type ReasonCode, reasonOf } from "../../../src/model/reason.ts";
import { parsePool, poolObject } from "../../allocate/pool/pool.ts";

/** A reason, and where in which file it was found. */
export interface LocatedReason {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly reason: Reason;
}

export interface PoolManifest {
  /** The valid pools. */
  readonly pools: readonly IPAddressPool[];
  readonly reasons: readonly LocatedReason[];
  /** Objects of other kinds, which the plan ignores: `Namespace shop`. */
  readonly skipped: readonly string[];
}

/** The schema of a pool that also rejects unknown fields, which the API server would drop silently. */
const strictSpecSchema = ipAddressPoolSpecSchema
  .extend({ serviceAllocation: serviceAllocationSchema.strict().optional() })
  .strict();
const strictPoolSchema = ipAddressPoolSchema.extend({ spec: strictSpecSchema });

/** Reads the pools of one YAML file, which may hold several documents and Lists, and reports everything that is wrong. Never throws. */
export function parsePoolManifest(file: string, text: string): PoolManifest {
  const lines = new LineCounter();
  const pools: IPAddressPool[] = [];
  const reasons: LocatedReason[] = [];
  const skipped: string[] = [];
  const lineAt = (offset: number | undefined): number => (offset === undefined ? 1 : lines.linePos(offset).line);
  for (const document of parseAllDocuments(text, { lineCounter: lines })) {
    for (const { pos, message } of document.errors) {
      const detail = message.split("\n")[0]?.replace(/ at line .*/, "") ?? "";
      const about = { object: file, field: "", value: "", detail: detail === "" ? detail : `${detail}.` };
      reasons.push({ file, line: lineAt(pos[0]), reason: reasonOf("ManifestInvalid", about) });
    }
    if (document.errors.length > 0 || document.contents === null) continue;
    for (const node of objectsIn(document.contents)) {
      const read = readObject(node);
      if (read.skipped !== undefined) skipped.push(read.skipped);
      if (read.pool !== undefined) pools.push(read.pool);
      reasons.push(...read.reasons.map(({ path, reason }) => ({ file, line: lineAt(offsetOf(node, path)), reason })));
    }
  }
  return { pools, reasons, skipped };
}

interface ReadObject {
  readonly pool?: IPAddressPool;
  readonly skipped?: string;
  readonly reasons: readonly { readonly path: readonly PropertyKey[]; readonly reason: Reason }[];
}

/** The objects of a document: itself, or the items of a List. */
function objectsIn(node: Node): readonly Node[] {
  if (isMap(node) && node.get("kind") === "List") {
    const items = node.get("items", true);
    return isSeq(items) ? (items.items as Node[]) : [];
  }
  return [node];
}

function readObject(node: Node): ReadObject {
  const raw = node.toJSON() as { apiVersion?: unknown; kind?: unknown; metadata?: { name?: unknown } } | null;
  const name = String(raw?.metadata?.name ?? "");
  if (raw?.kind !== "IPAddressPool") {
    const skipped = `${String(raw?.kind ?? "an object without kind")} ${name}`.trim();
    return { skipped, reasons: [] };
  }
  const object = poolObject(name);
  const reasonAt = (code: ReasonCode, path: readonly PropertyKey[], detail: string) => {
    const value = valueAt(raw, path);
    return { path, reason: reasonOf(code, { object, field: fieldText(path), value, detail }) };
  };
  if (raw.apiVersion !== groupVersion) {
    return { reasons: [reasonAt("PoolSchemaInvalid", ["apiVersion"], `It must be ${groupVersion}.`)] };
  }
  const strict = strictPoolSchema.safeParse(raw);
  const schemaReasons = (strict.error?.issues ?? [])
    .flatMap(issueDetails)
    .map(({ path, detail }) => reasonAt("PoolSchemaInvalid", path, detail));
  const parsed = ipAddressPoolSchema.safeParse(raw);
  if (!parsed.success) return { reasons: schemaReasons };
  const poolReasons = (parsePool(parsed.data).reasons ?? []).map((reason) => ({ path: pathOf(reason.field), reason }));
  const reasons = [...schemaReasons, ...poolReasons];
  return reasons.length === 0 ? { pool: parsed.data, reasons } : { reasons };
}

function issueDetails(
  issue: z.core.$ZodIssue,
): readonly { readonly path: readonly PropertyKey[]; readonly detail: string }[] {
  if (issue.code !== "unrecognized_keys") return [{ path: issue.path, detail: `${issue.message}.` }];
  return issue.keys.map((key) => ({ path: [...issue.path, key], detail: "There is no such field." }));
}

/** `spec.addresses[2]`. */
function fieldText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return "";
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
    .join("")
    .slice(1);
}

function pathOf(field: string): readonly PropertyKey[] {
  return field
    .split(/\.|\[|\]\.?/)
    .filter((step) => step !== "")
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): string {
  let value = raw;
  for (const step of path) value = (value as Record<PropertyKey, unknown> | null | undefined)?.[step];
  return typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
}

/** Where the deepest existing part of the path begins. */
function offsetOf(node: Node, path: readonly PropertyKey[]): number | undefined {
  let offset = node.range?.[0];
  let here: unknown = node;
  for (const step of path) {
    if (isMap(here)) {
      const pair = here.items.find(({ key }) => String((key as Node | null) ?? "") === String(step));
      offset = (pair?.key as Node | undefined)?.range?.[0] ?? offset;
      here = pair?.value;
    } else if (isSeq(here)) {
      here = here.items[Number(step)];
      offset = (here as Node | undefined)?.range?.[0] ?? offset;
    } else return offset;
  }
  return offset;
}
