import { request } from "node:http";
import { LabError } from "./error.ts";

export interface ApiAnswer {
  status: number;
  body: string;
}

/** Asks the API server of a lab through its unix socket. Any HTTP status is an answer; no answer in time, or none at
 * all, throws. Does not stream: for watches use the socket itself. */
export function askApi(
  socketPath: string,
  method: string,
  path: string,
  body?: object,
  timeoutMs = 30_000,
): Promise<ApiAnswer> {
  // Server-side apply is the only thing that PATCH is used for here, and JSON is YAML.
  const contentType = method === "PATCH" ? "application/apply-patch+yaml" : "application/json";
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) =>
      reject(new LabError("command-failed", `${method} ${path}: ${cause.message}`, { cause }));
    const headers = body === undefined ? {} : { "content-type": contentType };
    const call = request({ socketPath, method, path, headers, timeout: timeoutMs }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.once("error", fail);
      answer.once("end", () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    call.once("timeout", () => call.destroy(new Error(`no answer in ${timeoutMs} ms`)));
    call.once("error", fail);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** The same, for those who only want what the API says: any status but 2xx throws with what the server said. */
export async function callApi<T>(socketPath: string, method: string, path: string, body?: object): Promise<T> {
  const answer = await askApi(socketPath, method, path, body);
  if (answer.status >= 200 && answer.status < 300) return JSON.parse(answer.body) as T;
  throw new LabError("command-failed", `${method} ${path}: status ${answer.status}\n${answer.body.slice(0, 2000)}`);
}
