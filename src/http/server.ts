import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { BellhopError } from "../error/error.ts";
import type { HttpAnswer, Routes } from "./routes.ts";

export interface HttpServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly routes: Routes;
}

export interface HttpServer {
  readonly port: number;
  close(): Promise<void>;
}

/** How long a client may take to send its request. */
const requestTimeoutMs = 10_000;

/** Serves the routes to GET and HEAD; 404 names the paths that exist. Throws SocketFailed when the port cannot be had. */
export async function startHttpServer({ host, port, routes }: HttpServerOptions): Promise<HttpServer> {
  const handlers = new Map(Object.entries(routes));
  const notFound = { status: 404, body: `the paths served here are ${[...handlers.keys()].join(", ")}\n` };
  const server = createServer((request, response) => {
    answer(request).then((found) => send(response, found));
  });
  async function answer(request: IncomingMessage): Promise<HttpAnswer> {
    if (request.method !== "GET" && request.method !== "HEAD") return { status: 405, body: "only GET is served\n" };
    const [path = "", query = ""] = (request.url ?? "").split("?", 2);
    const handler = handlers.get(path);
    if (handler === undefined) return notFound;
    try {
      return await handler(new URLSearchParams(query));
    } catch (error) {
      return { status: 500, body: `${path} cannot be answered: ${String(error)}\n` };
    }
  }
  server.requestTimeout = requestTimeoutMs;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(new BellhopError("SocketFailed", `cannot serve HTTP on ${host}:${port}`, { cause })),
    );
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, { status, body, contentType = "text/plain; charset=utf-8" }: HttpAnswer): void {
  response.writeHead(status, { "content-type": contentType }).end(body);
}
