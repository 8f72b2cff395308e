import { connect } from "node:net";
import { requestText } from "./probe.ts";
import { runProbe } from "./run-probe.ts";

/** What to ask, as JSON in the first argument. */
export interface AskEachOptions {
  /** Addresses of the asking host, all of one family. */
  readonly sources: readonly string[];
  readonly host: string;
  readonly port: number;
  /** A request that takes longer has failed. */
  readonly timeoutMs: number;
}

/** By source: the name of the pod that answered, or why none did. */
export type AnswerBySource = Readonly<Record<string, string>>;

/** One HTTP request for the name of the pod, from one address. */
function askFromSource({ host, port, timeoutMs }: AskEachOptions, localAddress: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, localAddress });
    const timer = setTimeout(() => socket.destroy(new Error("timeout")), timeoutMs);
    let answer = "";
    let failure = "closed without an answer";
    socket.setEncoding("utf8");
    socket.on("connect", () => socket.write(requestText("/hostname", "close")));
    socket.on("data", (chunk: string) => {
      answer += chunk;
    });
    socket.on("error", ({ message }) => {
      failure = message;
    });
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(answer.split("\r\n\r\n")[1] ?? failure);
    });
  });
}

/** Asks one after the other. */
async function askEach(options: AskEachOptions): Promise<AnswerBySource> {
  const answers: Record<string, string> = {};
  for (const source of options.sources) answers[source] = await askFromSource(options, source);
  return answers;
}

if (import.meta.main) await runProbe(askEach);
