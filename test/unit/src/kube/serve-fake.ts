import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { ApiError } from "../../../../src/kube/api-error.ts";
import type { ApiRequest } from "../../../../src/kube/client.ts";
import type { FakeApiServer } from "../../../../src/kube/fake.ts";

const gzipped = promisify(gzip);
/** Longer answers are compressed, and written in several turns of the event loop. */
const largeBytes = 128 * 1024;

export interface ServedFake {
  readonly url: string;
  /** Cuts every connection without a word. */
  cut(): void;
  close(): Promise<void>;
}

/** Speaks HTTP for the fake API server, so that the real client can be tried against it. */
export async function serveFake(fake: FakeApiServer): Promise<ServedFake> {
  const server = createServer((incoming, outgoing) => {
    answer(fake, incoming, outgoing).catch((error: unknown) => refuse(outgoing, error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => server.closeAllConnections(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(fake: FakeApiServer, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const url = new URL(incoming.url ?? "/", "http://fake");
  const query = Object.fromEntries(url.searchParams);
  let text = "";
  for await (const chunk of incoming) text += String(chunk);
  const request: ApiRequest = {
    method: (incoming.method ?? "GET") as ApiRequest["method"],
    path: url.pathname,
    query,
    ...(text === "" ? {} : { body: JSON.parse(text) as unknown }),
    ...(incoming.headers["content-type"] === undefined ? {} : { contentType: incoming.headers["content-type"] }),
  };
  if (query.watch === "true") return stream(fake, request, outgoing);
  const { status, body } = await fake.request(request);
  const json = Buffer.from(await listJson(body));
  // As the API server: lists that are long, where the client allows it.
  const compress = json.length > largeBytes && incoming.headers["accept-encoding"] === "gzip";
  const encoding = compress ? { "content-encoding": "gzip" } : {};
  outgoing.writeHead(status, { "content-type": "application/json", ...encoding });
  outgoing.end(compress ? await gzipped(json, { level: 1 }) : json);
}

async function stream(fake: FakeApiServer, request: ApiRequest, outgoing: ServerResponse): Promise<void> {
  const aborter = new AbortController();
  outgoing.on("close", () => aborter.abort());
  const onOpen = (): void => {
    outgoing.writeHead(200, { "content-type": "application/json" });
    outgoing.flushHeaders();
  };
  let bytes = 0;
  for await (const event of fake.watch(request, { silenceMs: 60_000, signal: aborter.signal, onOpen })) {
    // Cut in two, so that the reader has to put lines together.
    const line = Buffer.from(`${goJson(event)}\n`);
    outgoing.write(line.subarray(0, 7));
    outgoing.write(line.subarray(7));
    bytes += line.length;
    if (bytes < largeBytes) continue;
    bytes = 0;
    await nextTurn();
  }
  outgoing.end();
}

/** Object by object, so that other requests are answered meanwhile, as by the API server. */
async function listJson(body: unknown): Promise<string> {
  const { items } = (body ?? {}) as { items?: unknown };
  if (!Array.isArray(items)) return goJson(body);
  const texts: string[] = [];
  let bytes = 0;
  for (const item of items) {
    const text = goJson(item);
    texts.push(text);
    bytes += text.length;
    if (bytes < largeBytes) continue;
    bytes = 0;
    await nextTurn();
  }
  const { items: _items, ...rest } = body as { items: unknown };
  return `${goJson(rest).slice(0, -1)},"items":[${texts.join(",")}]}`;
}

/** As encoding/json of Go writes it: some characters take six bytes. */
function goJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
}

function refuse(outgoing: ServerResponse, error: unknown): void {
  if (!(error instanceof ApiError) || outgoing.headersSent) return void outgoing.destroy();
  const retry = error.retryAfterMs === undefined ? {} : { "retry-after": String(error.retryAfterMs / 1000) };
  const body = { kind: "Status", code: error.status, reason: error.reason, message: error.message };
  outgoing.writeHead(error.status, { "content-type": "application/json", ...retry }).end(JSON.stringify(body));
}
