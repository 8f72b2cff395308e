import type { ApiClient } from "../../src/kube/client.ts";

/** Objects per answer, as kubectl requests them (--chunk-size). */
const pageSize = 500;

interface Page {
  readonly items?: readonly unknown[];
  readonly metadata?: { readonly continue?: string };
}

/** Yields every object of a collection. Holds one page at a time. Throws what the client throws. */
export async function* listAll(
  client: ApiClient,
  path: string,
  query: Readonly<Record<string, string>> = {},
): AsyncGenerator<unknown> {
  let next: string | undefined;
  do {
    const more = next === undefined ? {} : { continue: next };
    const answer = await client.request({ method: "GET", path, query: { ...query, limit: String(pageSize), ...more } });
    const page = answer.body as Page;
    yield* page.items ?? [];
    next = page.metadata?.continue;
  } while (next !== undefined && next !== "");
}
