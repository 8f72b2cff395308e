import type { Agent } from "node:http";
import type { RequestOptions } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import type { Clock } from "../clock/clock.ts";
import { BellhopError } from "../error/error.ts";
import { type Credentials, credentialsAgeMs, type TlsIdentity } from "./credentials.ts";
import { type KubeconfigFiles, readKubeconfig } from "./kubeconfig-files.ts";

/**
 * Credentials from a kubeconfig (`path`, else $KUBECONFIG, else ~/.kube/config) in its current context, or another one of it. Loads
 * @kubernetes/client-node only when called, because that costs 80 MB of memory which a pod should not pay. Files and login
 * plugins are asked again each minute. Throws ConfigurationInvalid.
 */
export async function kubeconfigCredentials(clock: Clock, path?: string, context?: string): Promise<Credentials> {
  const credentials = new KubeconfigCredentials(await readKubeconfig(path, context), clock, () =>
    readKubeconfig(path, context),
  );
  await credentials.refresh();
  return credentials;
}

class KubeconfigCredentials implements Credentials {
  readonly server: string;
  readonly #clock: Clock;
  readonly #reread: () => Promise<KubeconfigFiles>;
  #files: KubeconfigFiles;
  #tls: TlsIdentity = {};
  #authorization: string | undefined;
  #agent: Agent | undefined;
  #loggedIn = false;
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(files: KubeconfigFiles, clock: Clock, reread: () => Promise<KubeconfigFiles>) {
    this.#files = files;
    this.#clock = clock;
    this.#reread = reread;
    this.server = (files.config.getCurrentCluster()?.server ?? "").replace(/\/+$/, "");
  }

  get tls(): TlsIdentity {
    return this.#tls;
  }

  get agent(): Agent | undefined {
    return this.#agent;
  }

  get headers(): Readonly<Record<string, string | readonly string[]>> {
    return this.#files.impersonation.get(this.#files.config.getCurrentUser()?.name ?? "") ?? {};
  }

  expire(): void {
    this.#readAtMs = Number.NEGATIVE_INFINITY;
  }

  async authorization(): Promise<string | undefined> {
    // Once logged in, a login plugin or a file that fails is asked again later.
    if (this.#clock.monotonicMs() - this.#readAtMs >= credentialsAgeMs) await this.refresh().catch(() => {});
    return this.#authorization;
  }

  async refresh(): Promise<void> {
    this.#readAtMs = this.#clock.monotonicMs();
    const user = this.#files.config.getCurrentUser();
    // The library keeps the answer of a login plugin, and calls it again when that expires; everything else is in files.
    if (this.#loggedIn && (user?.exec ?? user?.authProvider ?? null) === null) this.#files = await this.#reread();
    const { config, name } = this.#files;
    forgetAgents(config);
    const options: RequestOptions = {};
    try {
      await config.applyToHTTPSOptions(options);
    } catch (cause) {
      throw new BellhopError("ConfigurationInvalid", `cannot log in with the ${name}`, { cause });
    }
    this.#loggedIn = true;
    this.#authorization = authorizationOf(options);
    const tls = tlsOf(options);
    if (JSON.stringify(tls) === JSON.stringify(this.#tls) && this.#agent !== undefined) return;
    if (JSON.stringify(tls) !== JSON.stringify(this.#tls)) this.#tls = tls;
    const proxied = (config.getCurrentCluster()?.proxyUrl ?? "") !== "";
    this.#agent = proxied ? (options.agent as Agent) : undefined;
  }
}

/** The library keeps one agent per user, with the certificate of its first login. */
function forgetAgents(config: KubeConfig): void {
  (config as unknown as { agentCache?: Map<string, Agent> }).agentCache?.clear();
}

function authorizationOf({ headers, auth }: RequestOptions): string | undefined {
  const { Authorization: value } = (headers ?? {}) as Record<string, unknown>;
  if (typeof value === "string") return value;
  return typeof auth === "string" ? `Basic ${Buffer.from(auth).toString("base64")}` : undefined;
}

function tlsOf({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions): TlsIdentity {
  return {
    ...pem("ca", ca),
    ...pem("cert", cert),
    ...pem("key", key),
    ...(servername === undefined ? {} : { servername }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  };
}

function pem(name: "ca" | "cert" | "key", value: unknown): Record<string, string> {
  if (typeof value === "string") return { [name]: value };
  return value instanceof Uint8Array ? { [name]: Buffer.from(value).toString("utf8") } : {};
}
