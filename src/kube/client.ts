import type { ListMetadata } from "./list-decoder.ts";

/** One answer of the API server; `body` is the parsed JSON. */
export interface ApiResponse {
  readonly status: number;
  readonly body: unknown;
}

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With leading slash, without query: `/api/v1/services`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Needed for PATCH: one of `patchTypes`. */
  readonly contentType?: string;
  /** For the whole answer; default: 30 s. Not for watches. */
  readonly timeoutMs?: number;
}

/** A GET of a collection. `timeoutMs` is the longest silence in it, not the time for the whole answer. */
export type ListRequest = Pick<ApiRequest, "path" | "query" | "timeoutMs">;

export interface WatchOptions {
  readonly silenceMs: number;
  readonly signal: AbortSignal;
  /** Called once when the server has accepted the watch, which may be long before the first event. */
  readonly onOpen?: () => void;
}

/** The metadata of a list. */
export interface ListResponse extends ListMetadata {
  /** Length of the answer, uncompressed. */
  readonly bytes: number;
}

/** The events of a watch. Ends by returning, fails by throwing. */
export type ApiStream = AsyncIterable<unknown>;

/** The seam to the API server. Throws ApiError for a status of 400 and above, BellhopError ApiUnreachable without an answer. */
export interface ApiClient {
  request(request: ApiRequest): Promise<ApiResponse>;
  /**
   * GETs a collection, or a page of it, and calls `take` with each object while the answer arrives; never holds the whole answer. An object
   * that is too large to be read is an OversizedObject. When it throws, `take` may already have been called with some objects.
   */
  list(request: ListRequest, take: (object: unknown) => void): Promise<ListResponse>;
  /**
   * Throws if no byte has arrived for `silenceMs`, so that half-open connections are noticed. Returns when aborted. The `object` of an event
   * is an OversizedObject if it is too large to be read.
   */
  watch(request: ApiRequest, options: WatchOptions): ApiStream;
}

/** Media types of the patches that Bellhop sends (apimachinery pkg/types/patch.go). */
export const patchTypes = {
  /** RFC 7386: lists are replaced whole. */
  merge: "application/merge-patch+json",
  /** Lists are merged by the keys of the built-in types; custom resources do not have it. */
  strategic: "application/strategic-merge-patch+json",
} as const;
