import { Backoff } from "../clock/backoff.ts";
import { type Clock, pause, type Random } from "../clock/clock.ts";
import type { Logger } from "../log/log.ts";
import { type HttpServer, type HttpServerOptions, startHttpServer, systemCode } from "./server.ts";

export interface KeptHttpServerOptions extends HttpServerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** An HTTP server that may still wait for its port. */
export interface KeptHttpServer {
  /** Undefined while the port is taken. */
  readonly port: number | undefined;
  close(): Promise<void>;
}

const retryBaseMs = 2_000;
const retryMaxMs = 60_000;

/** The port is taken, or the address does not exist: both may change without us. */
const passingCodes = ["EADDRINUSE", "EADDRNOTAVAIL"];

/**
 * Serves HTTP as `startHttpServer` does, but does not fail when another process has the port: it logs that and tries again, after 2 s at
 * first and at least every minute, until it is closed. Resolves after the first attempt. Throws an error that a retry cannot solve.
 */
export async function keepHttpServer(options: KeptHttpServerOptions): Promise<KeptHttpServer> {
  const { clock, random, log } = options;
  const closing = new AbortController();
  const backoff = new Backoff(retryBaseMs, retryMaxMs, random);
  let server: HttpServer | undefined;
  const attempt = async (): Promise<boolean> => {
    try {
      server = await startHttpServer(options);
      return true;
    } catch (error) {
      if (!passingCodes.includes(systemCode((error as Error).cause) ?? "")) throw error;
      log.error({ err: error }, "metrics and probes cannot be served yet; trying again");
      return false;
    }
  };
  const retry = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await pause(clock, backoff.nextMs(), closing.signal);
      if (closing.signal.aborted || !(await attempt())) continue;
      log.info({ port: server?.port }, "metrics and probes are served now");
      return;
    }
  };
  const retrying = (await attempt()) ? undefined : retry();
  // Awaited when it is closed; without this a failure before that would end the process.
  retrying?.catch((error: unknown) => log.error({ err: error }, "metrics and probes cannot be served"));
  return {
    get port() {
      return server?.port;
    },
    close: async () => {
      closing.abort();
      await retrying?.catch(() => {});
      await server?.close();
    },
  };
}
