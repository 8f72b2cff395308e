import { readFile } from "node:fs/promises";
import type { Agent } from "node:http";
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
  /** As `authorization` found it when it was last called. Another object where anything in it has changed. */
  readonly tls: TlsIdentity;
  /** The Authorization header now, if one is used. Reads what is old again first: tokens, certificates and keys. */
  authorization(): Promise<string | undefined>;
  /** Further headers of each request, such as those of impersonation. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** What connects through a proxy that the credentials name. Another one where `tls` has changed. */
  readonly agent?: Agent | undefined;
  /** Lets the next call of `authorization` read everything again, because the server or we refused the other's identity. */
  expire?(): void;
}

/** Where a pod finds its service account (client-go rest.InClusterConfig). */
const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";
/** Bound tokens are renewed on disk long before they end; client-go too reads them again each minute. */
export const credentialsAgeMs = 60_000;

export type ReadText = (path: string) => Promise<string>;
const readText: ReadText = (path) => readFile(path, "utf8");

/** Whether the environment is that of a pod. */
export function isInCluster(env: Readonly<Record<string, string | undefined>>): boolean {
  return (env.KUBERNETES_SERVICE_HOST ?? "") !== "" && (env.KUBERNETES_SERVICE_PORT ?? "") !== "";
}

/**
 * Reads the pod's own credentials, and again each minute: tokens end, and so do certificate authorities. Throws ConfigurationInvalid
 * outside a pod or without its files.
 */
export async function inClusterCredentials(
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock,
  read: ReadText = readText,
): Promise<Credentials> {
  const host = env.KUBERNETES_SERVICE_HOST ?? "";
  if (!isInCluster(env)) {
    throw new BellhopError("ConfigurationInvalid", "not in a pod: KUBERNETES_SERVICE_HOST and _PORT are not set");
  }
  const server = `https://${host.includes(":") ? `[${host}]` : host}:${env.KUBERNETES_SERVICE_PORT}`;
  const credentials = new ServiceAccount(server, clock, read);
  await credentials.readAll();
  return credentials;
}

/** While a file cannot be read, what was read before is used. */
class ServiceAccount implements Credentials {
  readonly server: string;
  readonly #clock: Clock;
  readonly #read: ReadText;
  #tls: TlsIdentity = {};
  #header = "";
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(server: string, clock: Clock, read: ReadText) {
    this.server = server;
    this.#clock = clock;
    this.#read = read;
  }

  get tls(): TlsIdentity {
    return this.#tls;
  }

  async authorization(): Promise<string> {
    if (this.#clock.monotonicMs() - this.#readAtMs >= credentialsAgeMs) {
      this.#readAtMs = this.#clock.monotonicMs();
      await Promise.allSettled([this.#readCa(), this.#readToken()]);
    }
    return this.#header;
  }

  expire(): void {
    this.#readAtMs = Number.NEGATIVE_INFINITY;
  }

  async readAll(): Promise<void> {
    await Promise.all([this.#readCa(), this.#readToken()]);
    this.#readAtMs = this.#clock.monotonicMs();
  }

  async #readCa(): Promise<void> {
    const ca = await readOrExplain(this.#read, `${serviceAccountFolder}/ca.crt`);
    if (ca !== this.#tls.ca) this.#tls = { ca };
  }

  async #readToken(): Promise<void> {
    const path = `${serviceAccountFolder}/token`;
    const token = (await readOrExplain(this.#read, path)).trim();
    if (token === "") throw new BellhopError("ConfigurationInvalid", `${path} is empty`);
    this.#header = `Bearer ${token}`;
  }
}

async function readOrExplain(read: ReadText, path: string): Promise<string> {
  try {
    return await read(path);
  } catch (cause) {
    throw new BellhopError("ConfigurationInvalid", `cannot read ${path}, which each pod has of its service account`, {
      cause,
    });
  }
}
