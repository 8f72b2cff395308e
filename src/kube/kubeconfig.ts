import type { RequestOptions } from "node:https";
import type { Clock } from "../clock/clock.ts";
import { BellhopError } from "../error/error.ts";
import type { Credentials } from "./credentials.ts";

/** How long the answer of a login plugin or token file is used before it is read again. */
const authorizationAgeMs = 60_000;

/**
 * Credentials from a kubeconfig file (`path`, else $KUBECONFIG, else ~/.kube/config). Loads @kubernetes/client-node only when
 * called, because that takes 80 MB of memory, which a pod should not need. Throws ConfigurationInvalid.
 */
export async function kubeconfigCredentials(clock: Clock, path?: string): Promise<Credentials> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  try {
    if (path === undefined) config.loadFromDefault();
    else config.loadFromFile(path);
  } catch (cause) {
    throw new BellhopError("ConfigurationInvalid", `cannot read the kubeconfig ${path ?? "of this user"}`, { cause });
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new BellhopError("ConfigurationInvalid", `the kubeconfig ${path ?? "of this user"} has no current cluster`);
  }
  let options: RequestOptions = {};
  let readAtMs = Number.NEGATIVE_INFINITY;
  const refresh = async (): Promise<void> => {
    if (clock.monotonicMs() - readAtMs < authorizationAgeMs) return;
    const fresh: RequestOptions = {};
    try {
      await config.applyToHTTPSOptions(fresh);
    } catch (cause) {
      throw new BellhopError("ConfigurationInvalid", `cannot use the kubeconfig ${path ?? "of this user"}`, { cause });
    }
    options = fresh;
    readAtMs = clock.monotonicMs();
  };
  await refresh();
  return {
    server: cluster.server.replace(/\/+$/, ""),
    tls: {
      ...pem("ca", options.ca),
      ...pem("cert", options.cert),
      ...pem("key", options.key),
      ...(options.servername === undefined ? {} : { servername: options.servername }),
      ...(options.rejectUnauthorized === undefined ? {} : { rejectUnauthorized: options.rejectUnauthorized }),
    },
    authorization: async () => {
      await refresh();
      const headers = (options.headers ?? {}) as Record<string, unknown>;
      const value = headers.Authorization ?? headers.authorization;
      return typeof value === "string" ? value : undefined;
    },
  };
}

function pem(name: "ca" | "cert" | "key", value: unknown): Record<string, string> {
  if (typeof value === "string") return { [name]: value };
  return value instanceof Uint8Array ? { [name]: Buffer.from(value).toString("utf8") } : {};
}
