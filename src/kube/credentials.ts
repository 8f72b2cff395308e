import { readFile } from "node:fs/promises";
import type { Clock } from "../clock/clock.ts";
import { BellhopError } from "../error/error.ts";

/** The options for TLS; `ca`, `cert` and `key` are PEM. */
export interface TlsIdentity {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** Where the API server is and who we are. */
export interface Credentials {
  /** `https://10.96.0.1:443`, perhaps with a path, no slash at its end. */
  readonly server: string;
  readonly tls: TlsIdentity;
  /** Returns the current Authorization header, if one is used. */
  authorization(): Promise<string | undefined>;
}

/** Where a pod finds its service account (client-go rest.InClusterConfig). */
const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";
/** Bound tokens are renewed on disk long before they end; client-go too reads them again each minute. */
const tokenAgeMs = 60_000;

export type ReadText = (path: string) => Promise<string>;
const readText: ReadText = (path) => readFile(path, "utf8");

/** Whether the environment is that of a pod. */
export function isInCluster(env: Readonly<Record<string, string | undefined>>): boolean {
  return (env.KUBERNETES_SERVICE_HOST ?? "") !== "" && (env.KUBERNETES_SERVICE_PORT ?? "") !== "";
}

/** Reads the pod's own credentials. Throws ConfigurationInvalid outside a pod or without its files. */
export async function inClusterCredentials(
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock,
  read: ReadText = readText,
): Promise<Credentials> {
  const host = env.KUBERNETES_SERVICE_HOST ?? "";
  if (!isInCluster(env)) {
    throw new BellhopError(
      "ConfigurationInvalid",
      "not running in a pod: KUBERNETES_SERVICE_HOST and _PORT are not set",
    );
  }
  const ca = await readOrExplain(read, `${serviceAccountFolder}/ca.crt`);
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${env.KUBERNETES_SERVICE_PORT}`,
    tls: { ca },
    authorization: tokenReader(`${serviceAccountFolder}/token`, clock, read),
  };
}

/** Re-reads the file each minute; while it cannot be read, the token read before is used. */
function tokenReader(path: string, clock: Clock, read: ReadText): () => Promise<string> {
  let header: string | undefined;
  let readAtMs = Number.NEGATIVE_INFINITY;
  return async () => {
    if (header !== undefined && clock.monotonicMs() - readAtMs < tokenAgeMs) return header;
    try {
      header = `Bearer ${(await readOrExplain(read, path)).trim()}`;
    } catch (error) {
      if (header === undefined) throw error;
    }
    readAtMs = clock.monotonicMs();
    return header;
  };
}

async function readOrExplain(read: ReadText, path: string): Promise<string> {
  try {
    return await read(path);
  } catch (cause) {
    throw new BellhopError(
      "ConfigurationInvalid",
      `cannot read ${path}, which every pod gets from its service account`,
      {
        cause,
      },
    );
  }
}
