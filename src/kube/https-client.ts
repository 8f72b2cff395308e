import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { Clock } from "../clock/clock.ts";
import { BellhopError } from "../error/error.ts";
import { Agents } from "./agents.ts";
import { ApiError, apiErrorOf } from "./api-error.ts";
import type {
  ApiClient,
  ApiRequest,
  ApiResponse,
  ApiStream,
  ListRequest,
  ListResponse,
  WatchOptions,
} from "./client.ts";
import type { Credentials } from "./credentials.ts";
import { JsonLines } from "./json-lines.ts";
import { ListDecoder } from "./list-decoder.ts";
import { ObjectCollector } from "./object-collector.ts";

export interface HttpsClientOptions {
  readonly credentials: Credentials;
  /** Shown in the API server's audit log. */
  readonly userAgent: string;
  readonly clock: Clock;
  /** Called for each answer: its status, 0 for none, and the time until it was read completely. */
  readonly observe?: (method: string, status: number, seconds: number) => void;
}

const defaultTimeoutMs = 30_000;

/** The real client: node:https, JSON, kept-alive connections. Retries only a GET whose connection the server has closed meanwhile. */
export class HttpsClient implements ApiClient {
  readonly #options: HttpsClientOptions;
  readonly #base: URL;
  /** The path of the server's URL, without a slash at its end. */
  readonly #prefix: string;
  readonly #agents: Agents;

  constructor(options: HttpsClientOptions) {
    this.#options = options;
    this.#base = new URL(options.credentials.server);
    this.#prefix = this.#base.pathname.replace(/\/$/, "");
    this.#agents = new Agents(options.credentials);
  }

  /** Where the API server is. */
  get server(): string {
    return this.#options.credentials.server;
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    return this.#observed(request, async () => {
      const { status, body, retryAfterMs } = await this.#exchange(request, true);
      if (status >= 400) throw this.#failure(request, apiErrorOf(describe(request), status, body, retryAfterMs));
      return { status, body };
    });
  }

  async list(request: ListRequest, take: (object: unknown) => void): Promise<ListResponse> {
    const get: ApiRequest = { method: "GET", ...request };
    return this.#observed(get, () => this.#readList(get, take, true));
  }

  async *watch(request: ApiRequest, options: WatchOptions): ApiStream {
    const { signal, silenceMs } = options;
    if (signal.aborted) return;
    const outgoing = await this.#open(request, "watches");
    const abort = (): void => void outgoing.destroy();
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    const silence = afterSilence(outgoing, silenceMs);
    try {
      const response = await answerTo(outgoing);
      if ((response.statusCode ?? 0) >= 400) throw await refusal(request, response);
      options.onOpen?.();
      const lines = new JsonLines();
      for await (const chunk of response) {
        silence.refresh();
        yield* lines.push(chunk as Buffer);
      }
    } catch (cause) {
      if (signal.aborted) return;
      throw this.#failure(request, cause);
    } finally {
      clearTimeout(silence);
      signal.removeEventListener("abort", abort);
      outgoing.destroy();
    }
  }

  /** Closes idle and busy connections; requests in flight fail. */
  close(): void {
    this.#agents.destroy();
  }

  /** What a request failed with. Where either side refused the other's identity, that is read again for the next request. */
  #failure(request: ApiRequest, cause: unknown): BellhopError {
    if (cause instanceof ApiError ? cause.status === 401 : isTlsFailure(cause)) this.#options.credentials.expire?.();
    return cause instanceof BellhopError ? cause : unreachable(request, cause);
  }

  /** Reports how long the request took, and its status. */
  async #observed<Result>(
    request: ApiRequest,
    work: () => Promise<Result & { readonly status: number }>,
  ): Promise<Result> {
    const { clock, observe } = this.#options;
    const startedMs = clock.monotonicMs();
    let status = 0;
    try {
      const result = await work();
      status = result.status;
      return result;
    } catch (error) {
      if (error instanceof ApiError) status = error.status;
      throw error;
    } finally {
      observe?.(request.method, status, (clock.monotonicMs() - startedMs) / 1000);
    }
  }

  async #readList(
    request: ApiRequest,
    take: (object: unknown) => void,
    mayRepeat: boolean,
  ): Promise<ListResponse & { readonly status: number }> {
    const outgoing = await this.#open(request, "requests", { "accept-encoding": "gzip" });
    const silence = afterSilence(outgoing, request.timeoutMs ?? defaultTimeoutMs);
    let answered = false;
    try {
      const response = await answerTo(outgoing);
      answered = true;
      const status = response.statusCode ?? 0;
      if (status >= 400) throw await refusal(request, response);
      const decoder = new ListDecoder();
      let bytes = 0;
      for await (const chunk of uncompressed(response)) {
        silence.refresh();
        bytes += chunk.length;
        for (const object of decoder.push(chunk)) take(object);
      }
      return { ...decoder.finish(), bytes, status };
    } catch (cause) {
      outgoing.destroy();
      if (mayRepeat && !answered && outgoing.reusedSocket) return this.#readList(request, take, false);
      throw this.#failure(request, cause);
    } finally {
      clearTimeout(silence);
    }
  }

  async #exchange(request: ApiRequest, mayRepeat: boolean): Promise<Answer> {
    const outgoing = await this.#open(request, "requests");
    const limitMs = request.timeoutMs ?? defaultTimeoutMs;
    let late = false;
    const cancelDeadline = this.#options.clock.after(limitMs, () => {
      late = true;
      outgoing.destroy(new Error(`no complete response within ${limitMs} ms`));
    });
    try {
      const response = await answerTo(outgoing);
      return { status: response.statusCode ?? 0, body: await readJson(response), retryAfterMs: retryAfterOf(response) };
    } catch (cause) {
      // A kept connection may have been closed by the other side while our request was on its way.
      if (mayRepeat && !late && request.method === "GET" && outgoing.reusedSocket)
        return this.#exchange(request, false);
      throw this.#failure(request, cause);
    } finally {
      cancelDeadline();
    }
  }

  async #open(
    request: ApiRequest,
    kind: "requests" | "watches",
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ClientRequest> {
    const { credentials } = this.#options;
    const authorization = await credentials.authorization();
    const text = request.body === undefined ? undefined : JSON.stringify(request.body);
    const query = request.query === undefined ? "" : new URLSearchParams(request.query).toString();
    const options: RequestOptions = {
      method: request.method,
      agent: this.#agents.current[kind],
      headers: {
        ...credentials.headers,
        accept: "application/json",
        "user-agent": this.#options.userAgent,
        ...headers,
        ...(authorization === undefined ? {} : { authorization }),
        ...(text === undefined
          ? {}
          : {
              "content-type": request.contentType ?? "application/json",
              "content-length": String(Buffer.byteLength(text)),
            }),
      },
    };
    const path = `${this.#prefix}${request.path}${query === "" ? "" : `?${query}`}`;
    const send = this.#base.protocol === "https:" ? httpsRequest : httpRequest;
    const outgoing = send({
      protocol: this.#base.protocol,
      host: this.#base.hostname.replace(/^\[|\]$/g, ""),
      port: this.#base.port || (this.#base.protocol === "https:" ? 443 : 80),
      path,
      ...options,
    });
    outgoing.end(text);
    return outgoing;
  }
}

interface Answer extends ApiResponse {
  readonly retryAfterMs: number | undefined;
}

function answerTo(outgoing: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once("response", resolve);
    // Stays on after the answer: a later error must not be an uncaught one; the reader of the body sees it too.
    outgoing.on("error", reject);
    outgoing.once("close", () => reject(new Error("the connection was closed before a response came")));
  });
}

/**
 * Breaks the connection if nothing has arrived for `silenceMs`; refresh it with each chunk. A timer of Node, because one of a Clock can
 * only be extended by making another one.
 */
function afterSilence(outgoing: ClientRequest, silenceMs: number): NodeJS.Timeout {
  return setTimeout(() => outgoing.destroy(new Error(`no data for ${silenceMs} ms`)), silenceMs);
}

/** The API server compresses lists of more than 128 KiB if the client accepts that (endpoints/handlers/responsewriters). */
async function* uncompressed(response: IncomingMessage): AsyncGenerator<Buffer> {
  if (response.headers["content-encoding"] !== "gzip") return yield* response as AsyncIterable<Buffer>;
  const gunzip = createGunzip({ chunkSize: 64 * 1024 });
  // An error of the answer destroys the decompressor too, and ends the reading.
  const piped = pipeline(response, gunzip);
  piped.catch(() => {});
  yield* gunzip as AsyncIterable<Buffer>;
  await piped;
}

/** Of an answer that is not JSON, only the beginning matters: proxies and some refusals answer in plain text. */
const maxPlainBytes = 500;

async function readJson(response: IncomingMessage): Promise<unknown> {
  const collector = new ObjectCollector();
  let beginning = "";
  let fault: unknown;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (beginning.length < maxPlainBytes) beginning += chunk.subarray(0, maxPlainBytes).toString("utf8");
    try {
      if (fault === undefined) collector.push(chunk);
    } catch (cause) {
      fault = cause;
    }
  }
  if (collector.length === 0) return undefined;
  try {
    if (fault !== undefined) throw fault;
    return collector.take();
  } catch (error) {
    if ((response.statusCode ?? 0) >= 400) return { message: beginning.slice(0, maxPlainBytes).trim() };
    throw error;
  }
}

async function refusal(request: ApiRequest, response: IncomingMessage): Promise<BellhopError> {
  const body = await readJson(response);
  return apiErrorOf(describe(request), response.statusCode ?? 0, body, retryAfterOf(response));
}

/** The API server uses only the form in seconds (RFC 9110 section 10.2.3 also allows a date). */
function retryAfterOf(response: IncomingMessage): number | undefined {
  const seconds = Number(response.headers["retry-after"]);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

function describe(request: ApiRequest): string {
  return `${request.method} ${request.path}`;
}

/** Codes of OpenSSL's verification (tls.TLSSocket authorizationError) and of alerts that the server sent. */
export function isTlsFailure(cause: unknown): boolean {
  const { code } = (cause ?? {}) as { code?: unknown };
  return typeof code === "string" && /CERT|SIGNATURE|^ERR_(SSL|TLS)_|^EPROTO$/.test(code);
}

/** The message; for several attempts that failed together, which have none, that of the first. */
export function messageOf(cause: Error): string {
  if (cause.message === "" && cause instanceof AggregateError) return (cause.errors as Error[])[0]?.message ?? "";
  return cause.message;
}

function unreachable(request: ApiRequest, cause: unknown): BellhopError {
  const text = cause instanceof Error ? messageOf(cause) : String(cause);
  return new BellhopError("ApiUnreachable", `${describe(request)}: ${text}`, { cause });
}
