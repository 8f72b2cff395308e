import { request } from "node:http";
import { createInterface } from "node:readline";
import { monotonicMs } from "../../e2e/probe/monotonic.ts";
import type { Lab } from "../../lab/lab.ts";
import type { SeenObject } from "../first-answer/seen-object.ts";

export interface ObjectWatch {
  /** Every change so far. */
  readonly seen: readonly SeenObject[];
  close(): void;
}

/** Watches a collection. Resolves when the watch is open. */
export function watchObjects(lab: Lab, path: string): Promise<ObjectWatch> {
  return new Promise((resolve, reject) => {
    const seen: SeenObject[] = [];
    const outgoing = request({ socketPath: lab.apiSocket, path: `${path}?watch=true` });
    outgoing.once("response", (response) => {
      // close() ends the answer with an error, which the reader of lines passes on.
      createInterface({ input: response })
        .on("line", (line) => {
          const atMs = monotonicMs();
          const { type, object } = JSON.parse(line) as Pick<SeenObject, "type" | "object">;
          seen.push({ atMs, type, object });
        })
        .on("error", () => {});
      resolve({ seen, close: () => outgoing.destroy() });
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}
