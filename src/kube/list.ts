import type { ApiClient } from "./client.ts";
import { PageSize } from "./page-size.ts";

export interface ListOptions {
  readonly path: string;
  /** labelSelector, fieldSelector, and for the first page resourceVersion and resourceVersionMatch. */
  readonly query?: Readonly<Record<string, string>>;
  /** Receives each object; some of them again if a page is requested again. */
  readonly take: (object: unknown) => void;
  /** Called after each page. */
  readonly onPage?: () => void;
  /** Used for all lists of the collection, because it depends on the size of the objects. */
  readonly pageSize?: PageSize;
  readonly signal?: AbortSignal;
}

/**
 * Reads a collection page by page and object by object; returns its resourceVersion. Throws what the client throws, and the reason
 * of the signal.
 */
export async function listCollection(client: ApiClient, options: ListOptions): Promise<string> {
  const { path, take, onPage, pageSize = new PageSize(), signal } = options;
  const { resourceVersion, resourceVersionMatch, ...selectors } = options.query ?? {};
  const version = resourceVersion === undefined ? {} : { resourceVersion };
  const match = resourceVersionMatch === undefined ? {} : { resourceVersionMatch };
  // The API server takes a list at a version from its cache only where no limit is set; 0 is the exception (client-go tools/pager).
  const unlimited = resourceVersion !== undefined && resourceVersion !== "0";
  let token = "";
  for (;;) {
    const limit = unlimited ? {} : { limit: String(pageSize.limit) };
    const page = token === "" ? { ...version, ...match } : { continue: token };
    // Each await gives the event loop its turn.
    const answer = await pageOf(client, pageSize, { path, query: { ...selectors, ...limit, ...page } }, take);
    signal?.throwIfAborted();
    onPage?.();
    token = answer.continueToken;
    if (token === "") return answer.resourceVersion;
  }
}

async function pageOf(
  client: ApiClient,
  pageSize: PageSize,
  request: Parameters<ApiClient["list"]>[0],
  take: (object: unknown) => void,
): ReturnType<ApiClient["list"]> {
  try {
    const answer = await client.list(request, take);
    pageSize.answered(answer.bytes);
    return answer;
  } catch (error) {
    pageSize.failed();
    throw error;
  }
}
