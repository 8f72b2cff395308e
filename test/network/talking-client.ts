import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { patiently } from "./patience.ts";

/**
 * A client with open connections and flows to an address, TCP port 80 and UDP port 53. Lines on standard input: `open COUNT` opens so many of
 * each, with `open COUNT PORT` the connections from this port on, `ask` asks all that are open, `end` ends the connections, `reset` resets them.
 * Answers with a line of JSON: what each heard, or what went wrong, by protocol.
 */
const [address = ""] = process.argv.slice(2);
const limitMs = patiently(4000);

interface Flow {
  readonly protocol: "tcp" | "udp";
  /** Resolves with the answer, or with what went wrong. */
  readonly ask: () => Promise<string>;
  readonly end: () => void;
  readonly reset: () => void;
}

/** The next answer or error. */
class Answers {
  #resolve: (text: string) => void = () => undefined;
  #failure: string | undefined;

  next(send: () => void): Promise<string> {
    if (this.#failure !== undefined) return Promise.resolve(this.#failure);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve("timeout"), limitMs);
      this.#resolve = (text) => {
        clearTimeout(timer);
        resolve(text);
      };
      send();
    });
  }

  heard(text: string): void {
    this.#resolve(text.trim());
  }

  failed(text: string): void {
    this.#failure = text;
    this.#resolve(text);
  }
}

function openTcp(localPort: number | undefined): Flow {
  const answers = new Answers();
  const from = localPort === undefined ? {} : { localPort };
  const socket = connect({ host: address, port: 80, noDelay: true, ...from });
  socket.setEncoding("utf8").on("data", (text: string) => answers.heard(text));
  socket.on("error", (error: NodeJS.ErrnoException) => answers.failed(error.code ?? error.message));
  socket.on("end", () => answers.failed("ended"));
  const ask = () => answers.next(() => socket.write("?\n"));
  return { protocol: "tcp", ask, end: () => socket.end(), reset: () => socket.resetAndDestroy() };
}

function openUdp(): Flow {
  const answers = new Answers();
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("message", (message) => answers.heard(message.toString()));
  socket.on("error", (error: NodeJS.ErrnoException) => answers.failed(error.code ?? error.message));
  // Connected, so that an answer from another address does not count.
  const connected = new Promise<void>((resolve) => socket.bind(0, () => socket.connect(53, address, resolve)));
  return {
    protocol: "udp",
    ask: () => connected.then(() => answers.next(() => socket.send("?"))),
    end: () => undefined,
    reset: () => undefined,
  };
}

const flows: Flow[] = [];

async function askAll(some: readonly Flow[]): Promise<string> {
  const answers = await Promise.all(some.map(async ({ protocol, ask }) => [protocol, await ask()] as const));
  const of = (protocol: string) => answers.filter(([one]) => one === protocol).map(([, answer]) => answer);
  return JSON.stringify({ tcp: of("tcp"), udp: of("udp") });
}

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const [word, count, port] = line.split(" ");
  const localPort = (index: number) => (port === undefined ? undefined : Number(port) + index);
  const opened =
    word === "open"
      ? Array.from({ length: Number(count) }, (_, index) => [openTcp(localPort(index)), openUdp()]).flat()
      : [];
  flows.push(...opened);
  if (word === "end") for (const { end } of flows.splice(0)) end();
  if (word === "reset") for (const { reset } of flows.splice(0)) reset();
  console.log(await askAll(word === "open" ? opened : flows));
}
