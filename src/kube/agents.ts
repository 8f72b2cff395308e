import { type AgentOptions, Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { isIP } from "node:net";
import type { Credentials, TlsIdentity } from "./credentials.ts";

/** More requests wait in a queue; watches have sockets of their own and never wait. */
const maxSockets = 32;
/** TCP keep-alive, so that a dead peer is noticed even below the watch's own deadline. */
const keepAliveMs = 30_000;

interface AgentPair {
  readonly requests: HttpAgent;
  readonly watches: HttpAgent;
}

/**
 * The agents that connect to the API server, with the current TLS identity, through the proxy that the credentials name, else that of
 * HTTPS_PROXY, HTTP_PROXY and NO_PROXY. When the identity changes, new connections have the new one; open ones continue.
 */
export class Agents {
  readonly #credentials: Credentials;
  readonly #base: URL;
  #tls: TlsIdentity;
  #pair: AgentPair;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
    this.#base = new URL(credentials.server);
    this.#tls = credentials.tls;
    this.#pair = this.#create();
  }

  /** For new requests and watches. */
  get current(): AgentPair {
    const { tls } = this.#credentials;
    if (tls !== this.#tls) {
      this.#tls = tls;
      retire(this.#pair);
      this.#pair = this.#create();
    }
    return this.#pair;
  }

  /** Closes idle and busy connections. */
  destroy(): void {
    this.#pair.requests.destroy();
    this.#pair.watches.destroy();
  }

  #create(): AgentPair {
    const { agent } = this.#credentials;
    if (agent !== undefined) return { requests: agent, watches: agent };
    const requests = { keepAlive: true, keepAliveMsecs: keepAliveMs, maxSockets, ...proxyOf(this.#base.hostname) };
    const watches = { keepAlive: false, ...proxyOf(this.#base.hostname) };
    if (this.#base.protocol !== "https:") return { requests: new HttpAgent(requests), watches: new HttpAgent(watches) };
    return {
      requests: new HttpsAgent({ ...requests, ...this.#tls }),
      watches: new HttpsAgent({ ...watches, ...this.#tls }),
    };
  }
}

/** Like Go's net/http, a host on this machine is never reached through a proxy. */
function proxyOf(hostname: string): Pick<AgentOptions, "proxyEnv"> {
  const host = hostname.replace(/^\[|\]$/g, "");
  const loopback = host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
  return loopback ? {} : { proxyEnv: process.env };
}

/** Its idle connections close now, and its busy ones when they are done. */
function retire({ requests }: AgentPair): void {
  (requests as HttpAgent & { keepAlive?: boolean }).keepAlive = false;
  for (const sockets of Object.values(requests.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}
