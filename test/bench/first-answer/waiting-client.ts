import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { monotonicMs } from "../../e2e/probe/monotonic.ts";
import { promptNode } from "../../e2e/probe/prompt-node.ts";
import type { Lab } from "../../lab/lab.ts";

/** Between two connections of the client. */
const intervalMs = 5;

/** An address that has not answered after so long ends the bench. */
const longestWaitMs = 10_000;

/** A program on the client's host that runs already when it gets to know an address. */
export interface WaitingClient {
  /** Asks the address until it has given a good answer; resolves to when that was, by CLOCK_MONOTONIC in ms. */
  firstAnswer(address: string): Promise<number>;
  stop(): void;
}

export function startWaitingClient(lab: Lab): WaitingClient {
  const program = fileURLToPath(import.meta.url);
  const child = lab.spawnInNetwork("client", [...promptNode, program], { stdio: ["pipe", "pipe", "inherit"] });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new TypeError("the client has no pipes");
  const lines = createInterface({ input: stdout });
  return {
    async firstAnswer(address) {
      const answer = once(lines, "line", { signal: AbortSignal.timeout(longestWaitMs) });
      stdin.write(`${address}\n`);
      const [line] = (await answer) as [string];
      return Number(line);
    },
    stop: () => stdin.end(),
  };
}

/** Opens a new connection every few ms, whatever becomes of those before, until one has brought a good answer. */
function askUntilAnswered(address: string): Promise<number> {
  return new Promise((resolve) => {
    const sockets: Socket[] = [];
    const ask = () => {
      const socket = createConnection({ host: address, port: 80 });
      sockets.push(socket);
      socket.on("connect", () =>
        socket.write(`GET /hostname HTTP/1.1\r\nHost: ${address}\r\nConnection: close\r\n\r\n`),
      );
      socket.once("data", (data: Buffer) => {
        if (!data.toString("latin1").startsWith("HTTP/1.1 200 ")) return;
        resolve(monotonicMs());
        clearInterval(timer);
        for (const one of sockets) one.destroy();
      });
      // Refused, or the host is unreachable: the next connection tries again.
      socket.on("error", () => {});
    };
    const timer = setInterval(ask, intervalMs);
    ask();
  });
}

if (import.meta.main) {
  for await (const address of createInterface({ input: process.stdin }))
    process.stdout.write(`${await askUntilAnswered(address)}\n`);
  process.exit();
}
