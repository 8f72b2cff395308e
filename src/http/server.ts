import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
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

/** The IPv6 wildcard; Node clears IPV6_V6ONLY, so a socket bound to it serves IPv4 too. */
const anyIPv6 = "::";
const anyIPv4 = "0.0.0.0";
/** Errors of the kernel if IPv6 is disabled (`ipv6.disable=1`), or no IPv6 address can be bound. */
const withoutIPv6 = ["EAFNOSUPPORT", "EADDRNOTAVAIL"];

/**
 * Serves the routes to GET and HEAD; 404 names the paths that exist. The host `::` means every address of both families, and every
 * IPv4 address if the kernel has no IPv6. Throws SocketFailed when it cannot listen; the cause has the system's code.
 */
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
  try {
    await listen(server, host, port);
  } catch (cause) {
    throw new BellhopError("SocketFailed", `cannot serve HTTP on ${hostPort(host, port)}`, { cause });
  }
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    await listenOn(server, host, port);
  } catch (error) {
    if (host !== anyIPv6 || !withoutIPv6.includes(systemCode(error) ?? "")) throw error;
    await listenOn(server, anyIPv4, port);
  }
}

function listenOn(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** As it is written in a URL. */
function hostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The code of a failed system call, such as EADDRINUSE; undefined for other errors. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

function send(response: ServerResponse, { status, body, contentType = "text/plain; charset=utf-8" }: HttpAnswer): void {
  response.writeHead(status, { "content-type": contentType }).end(body);
}
