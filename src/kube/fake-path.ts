/** The parts of an API path. */
export interface FakePath {
  /** Group, version and plural: what names a collection over all namespaces. */
  readonly collection: string;
  readonly apiVersion: string;
  readonly plural: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/** Splits `/api/v1/namespaces/default/services/web/status` and its like. Throws for a path that the API does not have. */
export function parseApiPath(path: string): FakePath {
  const [root, ...rest] = path.split("/").slice(1).map(decodeURIComponent);
  const versionParts = root === "api" ? rest.slice(0, 1) : root === "apis" ? rest.slice(0, 2) : [];
  if (versionParts.length === 0) throw new Error(`no path of the API: ${path}`);
  const apiVersion = versionParts.join("/");
  const tail = rest.slice(versionParts.length);
  const namespaced = tail[0] === "namespaces" && tail.length > 2;
  const [plural = "", name, subresource] = namespaced ? tail.slice(2) : tail;
  return {
    collection: `${apiVersion}/${plural}`,
    apiVersion,
    plural,
    namespace: namespaced ? tail[1] : undefined,
    name,
    subresource,
  };
}

/** Whether the labels satisfy a selector made of `a=b`, `a!=b`, `a`, `!a`, joined by commas. */
export function matchesSelector(labels: Readonly<Record<string, string>>, selector: string | undefined): boolean {
  return (selector ?? "").split(",").every((term) => {
    if (term === "") return true;
    if (term.startsWith("!")) return !(term.slice(1) in labels);
    const unequal = term.split("!=");
    if (unequal.length === 2) return labels[unequal[0] ?? ""] !== unequal[1];
    const equal = term.split("=");
    return equal.length === 1 ? term in labels : labels[equal[0] ?? ""] === equal[equal.length - 1];
  });
}
