import { ask } from "./probe.ts";
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

/** Asks for the name of the pod, from one address after the other. */
async function askEach({ sources, host, port, timeoutMs }: AskEachOptions): Promise<AnswerBySource> {
  const answers: Record<string, string> = {};
  for (const source of sources) {
    const target = { protocol: "tcp", host, port, question: "/hostname", source } as const;
    answers[source] = await ask(target, timeoutMs).catch(String);
  }
  return answers;
}

if (import.meta.main) await runProbe(askEach);
