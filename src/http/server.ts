import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { BellhopError } from "../error/error.ts";
import type { Registry } from "../metrics/registry.ts";

export interface HttpServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly registry: Registry;
  /** What is wrong so that only a restart helps; nothing: healthy. */
  readonly unhealthy: () => readonly string[];
  /** What is still missing before the program can do its work; nothing: ready. */
  readonly unready: () => readonly string[];
}

export interface HttpServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves /metrics, /healthz and /readyz; 503 with one line per fault. Throws SocketFailed when the port cannot be had. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? "").split("?")[0];
    if (request.method !== "GET" && request.method !== "HEAD") return answer(response, 405, "only GET is served\n");
    if (path === "/healthz") return answerFaults(response, options.unhealthy());
    if (path === "/readyz") return answerFaults(response, options.unready());
    if (path !== "/metrics") return answer(response, 404, "only /metrics, /healthz and /readyz are here\n");
    options.registry.metrics().then(
      (text) => answer(response, 200, text, options.registry.contentType),
      (error: unknown) => answer(response, 500, `metrics cannot be rendered: ${String(error)}\n`),
    );
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(new BellhopError("SocketFailed", `cannot serve HTTP on ${options.host}:${options.port}`, { cause })),
    );
    server.listen(options.port, options.host, resolve);
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

function answerFaults(response: ServerResponse, faults: readonly string[]): void {
  if (faults.length === 0) answer(response, 200, "ok\n");
  else answer(response, 503, `${faults.join("\n")}\n`);
}

function answer(response: ServerResponse, status: number, text: string, type = "text/plain; charset=utf-8"): void {
  response.writeHead(status, { "content-type": type }).end(text);
}
