import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** The writes of one Service's life, in their order. */
export const steps = ["claim", "show", "release", "leave"] as const;
export type Step = (typeof steps)[number];

/** One request on its way through the proxy. */
export interface Passage {
  readonly method: string;
  readonly path: string;
  /** The Service that it is about, and which of its writes it is; undefined for everything else. */
  readonly service: string | undefined;
  readonly step: Step | undefined;
  readonly isWatch: boolean;
  /** A list, perhaps one that comes as a watch. */
  readonly isList: boolean;
  /** Whom the client says that it is. */
  readonly authorization: string | undefined;
}

/** What a server of TLS shows; PEM. */
export interface ServerIdentity {
  readonly key: string;
  readonly cert: string;
}

/**
 * What happens to a request. `done`: it reaches the API server and is carried out, but its answer does not come back. `truncate`: only the
 * first half of the answer does.
 */
export type Fault =
  | { readonly kind: "truncate" }
  | { readonly kind: "cut"; readonly done: boolean }
  | { readonly kind: "silence"; readonly done: boolean }
  | { readonly kind: "answer"; readonly status: number; readonly reason: string; readonly retryAfter?: number };

interface Watch {
  readonly collection: string;
  readonly answer: ServerResponse;
  muted: boolean;
}

/**
 * A proxy on the loopback, in plain HTTP or with TLS, between one controller and the API server of a lab. It does to each request what the
 * script says, and to watches what the test tells it to. The API server itself is the real one and knows nothing of it.
 */
export class FaultProxy {
  /** Decides over each request; may wait, so that a test can act in between. */
  script: (passage: Passage) => Fault | undefined | Promise<Fault | undefined> = () => undefined;
  /** Called after the API server has answered and before the controller hears it. */
  afterwards: (passage: Passage) => void | Promise<void> = () => {};
  /** How long events of a collection (`services`) are held back, each one as long. */
  readonly delaysMs = new Map<string, number>();
  /** How late each answer is, except what comes through a watch. */
  answersLateMs = 0;
  /** Whether the API server does not hear which compression the controller accepts. */
  refusesCompression = false;
  /** How many compressed answers have passed. */
  compressed = 0;
  /** How often each write was tried: `service/step`. */
  readonly tries = new Map<string, number>();
  readonly #socketPath: string;
  readonly #server: Server | TlsServer;
  readonly #scheme: "http" | "https";
  readonly #watches = new Set<Watch>();
  /** By VirtualIP: the Service that claimed it. */
  readonly #claimants = new Map<string, string>();

  constructor(socketPath: string, identity?: ServerIdentity) {
    this.#socketPath = socketPath;
    const pass = (incoming: IncomingMessage, answer: ServerResponse): void => void this.#pass(incoming, answer);
    this.#scheme = identity === undefined ? "http" : "https";
    this.#server = identity === undefined ? createServer(pass) : createTlsServer({ ...identity }, pass);
  }

  /** Shows another certificate from now on, and closes every connection, as an API server does that is restarted with it. */
  changeIdentity(identity: ServerIdentity): void {
    if ("setSecureContext" in this.#server) this.#server.setSecureContext({ ...identity });
    this.#server.closeAllConnections();
  }

  /** Closes every connection. */
  cutAll(): void {
    this.#server.closeAllConnections();
  }

  /** Gives the address for a kubeconfig. */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Breaks watches in the middle, all or those of one collection. */
  cutWatches(collection?: string): void {
    for (const watch of this.#watches) {
      if (collection === undefined || watch.collection === collection) watch.answer.destroy();
    }
  }

  /** From now on nothing comes through the watches that are open, bookmarks and their end included; they stay open. */
  muteWatches(): void {
    for (const watch of this.#watches) watch.muted = true;
  }

  /** Says in every open watch that its version is too old, as an API server does whose history was compacted. */
  expireWatches(): void {
    const object = {
      kind: "Status",
      apiVersion: "v1",
      status: "Failure",
      code: 410,
      reason: "Expired",
      message: "too old",
    };
    for (const { answer } of this.#watches) answer.write(`${JSON.stringify({ type: "ERROR", object })}\n`);
  }

  async #pass(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    try {
      const body = await buffer(incoming);
      const passage = this.#describe(incoming, body);
      if (passage.step !== undefined) this.#count(passage);
      const fault = await this.script(passage);
      if (fault?.kind === "answer") return refuse(answer, fault);
      if (fault !== undefined && fault.kind !== "truncate" && !fault.done)
        return fault.kind === "cut" ? void answer.destroy() : undefined;
      const upstream = await this.#forward(incoming, body);
      if (passage.isWatch) return this.#stream(passage, upstream, answer);
      const text = await buffer(upstream);
      if (upstream.headers["content-encoding"] === "gzip") this.compressed++;
      await this.afterwards(passage);
      if (this.answersLateMs > 0) await new Promise((resolve) => setTimeout(resolve, this.answersLateMs));
      if (fault?.kind === "truncate") {
        const headers = { ...headersOf(upstream.headers), "content-length": String(text.length) };
        answer.writeHead(upstream.statusCode ?? 502, headers).write(text.subarray(0, text.length / 2));
        setTimeout(() => answer.destroy(), 100);
        return;
      }
      if (fault !== undefined) return fault.kind === "cut" ? void answer.destroy() : undefined;
      answer.writeHead(upstream.statusCode ?? 502, headersOf(upstream.headers)).end(text);
    } catch {
      // Either side has gone: the other one is told by its connection.
      answer.destroy();
    }
  }

  #describe(incoming: IncomingMessage, body: Buffer): Passage {
    const { pathname: path, searchParams } = new URL(incoming.url ?? "/", "http://proxy");
    const method = incoming.method ?? "GET";
    const isWatch = searchParams.get("watch") === "true";
    const isList = searchParams.has("limit") || searchParams.has("sendInitialEvents");
    const { authorization } = incoming.headers;
    const about = { method, path, isWatch, isList, authorization };
    const name = path.split("/").at(-1) ?? "";
    if (method === "POST" && path.endsWith("/virtualips")) {
      const { metadata, spec } = JSON.parse(body.toString()) as Created;
      const service = spec.services[0]?.name ?? "";
      this.#claimants.set(metadata.name, service);
      return { ...about, service, step: "claim" };
    }
    if (method === "DELETE" && path.includes("/virtualips/")) {
      return { ...about, service: this.#claimants.get(name), step: "release" };
    }
    const service = /\/services\/([^/]+)\/status$/.exec(path)?.[1];
    if (method !== "PATCH" || service === undefined) return { ...about, service: undefined, step: undefined };
    const leaves = body.includes("$deleteFromPrimitiveList");
    return { ...about, service, step: leaves ? "leave" : "show" };
  }

  #count({ service, step }: Passage): void {
    const key = `${service}/${step}`;
    this.tries.set(key, (this.tries.get(key) ?? 0) + 1);
  }

  #forward(incoming: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      // The API server knows the proxy, and not the controller.
      const { authorization: _, "accept-encoding": encoding, ...headers } = incoming.headers;
      const { method, url: path } = incoming;
      const accepted = encoding === undefined || this.refusesCompression ? {} : { "accept-encoding": encoding };
      const outgoing = request({
        socketPath: this.#socketPath,
        method,
        path,
        headers: { ...headers, ...accepted, host: "localhost" },
      });
      outgoing.once("response", resolve);
      outgoing.once("error", reject);
      outgoing.end(body);
    });
  }

  #stream({ path }: Passage, upstream: IncomingMessage, answer: ServerResponse): void {
    const collection = path.split("/").at(-1) ?? "";
    const watch = { collection, answer, muted: false };
    this.#watches.add(watch);
    answer.writeHead(upstream.statusCode ?? 502, headersOf(upstream.headers));
    answer.flushHeaders();
    upstream.on("data", (chunk: Buffer) => {
      if (watch.muted) return;
      const waitMs = this.delaysMs.get(collection) ?? 0;
      if (waitMs === 0) answer.write(chunk);
      // Timers of one length fire in the order in which they were set, so events stay in their order.
      else setTimeout(() => answer.destroyed || answer.write(chunk), waitMs);
    });
    upstream.once("end", () => watch.muted || answer.end());
    upstream.once("error", () => answer.destroy());
    answer.once("close", () => {
      this.#watches.delete(watch);
      upstream.destroy();
    });
  }
}

interface Created {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly services: readonly { readonly name: string }[] };
}

function refuse(answer: ServerResponse, { status, reason, retryAfter }: Extract<Fault, { kind: "answer" }>): void {
  const headers = {
    "content-type": "application/json",
    ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
  };
  const body = { kind: "Status", apiVersion: "v1", status: "Failure", code: status, reason, message: "scripted" };
  answer.writeHead(status, headers).end(JSON.stringify(body));
}

/** Without what is only about the connection to the API server. */
function headersOf({
  "content-type": type,
  "content-encoding": encoding,
  "retry-after": retryAfter,
}: IncomingHttpHeaders): Record<string, string> {
  return {
    ...(encoding === undefined ? {} : { "content-encoding": encoding }),
    ...(type === undefined ? {} : { "content-type": type }),
    ...(retryAfter === undefined ? {} : { "retry-after": retryAfter }),
  };
}
