import { get } from "node:http";
import { parseConfigz } from "./node-port-addresses.ts";

/**
 * Where kube-proxy serves its metrics and its configuration unless `metricsBindAddress` says otherwise (getDefaultAddresses in
 * pkg/proxy/apis/config/v1alpha1/defaults.go): on the loopback interface, which the speaker shares with it.
 */
const urls = ["http://127.0.0.1:10249/configz", "http://[::1]:10249/configz"];

const timeoutMs = 2_000;
/** A configuration has about 2 KiB. */
const maxLength = 1_048_576;

/** `nodePortAddresses` of the kube-proxy of this node; undefined: it cannot be read, or another service proxy runs. Never rejects. */
export async function readNodePortAddresses(): Promise<readonly string[] | undefined> {
  for (const url of urls) {
    const text = await readText(url);
    const addresses = text === undefined ? undefined : parseConfigz(text);
    if (addresses !== undefined) return addresses;
  }
  return undefined;
}

/** The body of the response. Undefined: there was none in time, it was too long, or its status was not 200. */
function readText(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > maxLength) request.destroy();
      });
      response.on("end", () => resolve(response.statusCode === 200 ? text : undefined));
      response.on("error", () => resolve(undefined));
      response.on("close", () => resolve(undefined));
    });
    request.on("error", () => resolve(undefined));
  });
}
