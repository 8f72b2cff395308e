type Json = Record<string, unknown>;

/** RFC 7386: null removes, objects merge, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return structuredClone(patch);
  const result: Json = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/** Lists of Service and Node that a strategic merge merges, with their key; undefined: a list of plain values (types.go). */
const mergedLists: Readonly<Record<string, string | undefined>> = {
  "metadata.finalizers": undefined,
  "status.conditions": "type",
};

/** The part of strategic merge that Bellhop uses: conditions by type, finalizers as a set, `$patch: delete`, `$deleteFromPrimitiveList`. */
export function strategicMergePatch(target: unknown, patch: unknown, path = ""): unknown {
  if (!isObject(patch)) return structuredClone(patch);
  const result: Json = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    const at = path === "" ? key : `${path}.${key}`;
    if (key.startsWith("$deleteFromPrimitiveList/")) {
      const field = key.slice("$deleteFromPrimitiveList/".length);
      const gone = value as unknown[];
      result[field] = ((result[field] as unknown[] | undefined) ?? []).filter((entry) => !gone.includes(entry));
    } else if (value === null) delete result[key];
    else if (Array.isArray(value) && at in mergedLists) {
      result[key] = mergeList((result[key] as unknown[] | undefined) ?? [], value, mergedLists[at]);
    } else result[key] = strategicMergePatch(result[key], value, at);
  }
  return result;
}

function mergeList(present: readonly unknown[], patch: readonly unknown[], mergeKey: string | undefined): unknown[] {
  if (mergeKey === undefined) return [...new Set([...present, ...patch])];
  let list = present.map((entry) => ({ ...(entry as Json) }));
  for (const entry of patch as Json[]) {
    const same = (other: Json): boolean => other[mergeKey] === entry[mergeKey];
    if (entry.$patch === "delete") list = list.filter((other) => !same(other));
    else if (list.some(same)) list = list.map((other) => (same(other) ? { ...other, ...entry } : other));
    else list.push({ ...entry });
  }
  return list;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
