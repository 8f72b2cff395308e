import { Api, type ApiObject } from "../e2e/api.ts";
import { askApi } from "../lab/api.ts";
import type { Lab } from "../lab/lab.ts";
import { waitFor } from "../lab/wait.ts";

/** The namespace of the Services. */
export const loadNamespace = "bench";
const namespace = loadNamespace;
/** Requests of ours under way at once while Services are created or deleted. */
const inFlight = 16;

/** A pool of 65,536 addresses that stand on the LAN of the lab, so that they can be announced; IPv4 has not as many there. */
const pool = {
  apiVersion: "bellhop.dev/v1beta1",
  kind: "IPAddressPool",
  metadata: { name: "bench" },
  spec: { addresses: ["fd30::1:0/112"] },
};

/** Many Services without pods in one namespace of a lab. */
export class ServiceLoad {
  readonly #api: Api;

  constructor(lab: Lab) {
    this.#api = new Api(lab, namespace);
  }

  async prepare(): Promise<void> {
    await this.createPool();
    await this.createNamespace();
  }

  async createNamespace(): Promise<void> {
    await this.#api.createNamespace();
  }

  async createPool(): Promise<void> {
    await this.#api.apply(pool);
  }

  async deletePool(): Promise<void> {
    await this.#api.delete(pool.apiVersion, pool.kind, pool.metadata.name);
  }

  /** Deletes all Services, and waits until they and their VirtualIPs are gone. */
  async deleteAll(): Promise<void> {
    const services = await this.#listAll("v1", "Service");
    await forEach(services, ({ metadata: { name } }) => this.#api.delete("v1", "Service", name));
    await waitFor({ what: "all Services to be gone", timeoutMs: 120_000, intervalMs: 500 }, async () => {
      const left = [
        ...(await this.#listAll("v1", "Service")),
        ...(await this.#listAll("bellhop.dev/v1beta1", "VirtualIP")),
      ];
      return left.length === 0 ? true : undefined;
    });
  }

  /** Makes Services `s<from>` up to but without `s<to>`. */
  async create(from: number, to: number): Promise<void> {
    const names = Array.from({ length: to - from }, (_, index) => `s${from + index}`);
    await forEach(names, (name) => this.#createOne(name));
  }

  async #createOne(name: string): Promise<void> {
    await this.#api.lab.api("POST", `/api/v1/namespaces/${namespace}/services`, {
      metadata: { name },
      spec: {
        type: "LoadBalancer",
        ipFamilies: ["IPv6"],
        ipFamilyPolicy: "SingleStack",
        // The API server has no more than 2,768 node ports to give by default.
        allocateLoadBalancerNodePorts: false,
        ports: [{ port: 80, protocol: "TCP" }],
      },
    });
  }

  /** One Service comes, gets its address and goes again. */
  async comeAndGo(name: string): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/services/${name}`;
    const { apiSocket } = this.#api.lab;
    await this.#createOne(name);
    await waitFor(
      { what: `an address of ${name}`, timeoutMs: 30_000, intervalMs: 10 },
      async () => /"ingress":\[\{"ip":"([^"]+)"/.exec((await askApi(apiSocket, "GET", path)).body)?.[1],
    );
    await this.#api.delete("v1", "Service", name);
    await waitFor({ what: `${name} to go`, timeoutMs: 30_000, intervalMs: 10 }, async () =>
      (await askApi(apiSocket, "GET", path)).status === 404 ? true : undefined,
    );
  }

  /** Throws unless so many Services have an address each, and each address is claimed once and by the one that shows it. */
  async check(count: number): Promise<void> {
    const services = await this.#listAll("v1", "Service");
    const claims = await this.#listAll("bellhop.dev/v1beta1", "VirtualIP");
    const shown = new Map(services.map(({ metadata, status }) => [addressOf(status), metadata.uid]));
    if (services.length !== count || shown.size !== count || shown.has(undefined)) {
      throw new Error(`${services.length} Services show ${shown.size} different addresses; ${count} of each were due`);
    }
    const strays = claims.filter(({ spec }) => shown.get(spec.address) !== spec.services[0]?.uid);
    if (claims.length !== count || strays.length > 0) {
      throw new Error(
        `${claims.length} VirtualIPs for ${count} Services, ${strays.length} of them of the wrong Service`,
      );
    }
  }

  /** A text that changes with any write to a Service or VirtualIP. */
  async versions(): Promise<string> {
    const objects = [
      ...(await this.#listAll("v1", "Service")),
      ...(await this.#listAll("bellhop.dev/v1beta1", "VirtualIP")),
    ];
    return objects.map(({ metadata: { name, resourceVersion } }) => `${name} ${resourceVersion}`).join("\n");
  }

  async #listAll(apiVersion: string, kind: string): Promise<readonly ApiObject[]> {
    return this.#api.list(apiVersion, kind);
  }
}

async function forEach<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}

function addressOf(status: { loadBalancer?: { ingress?: { ip?: string }[] } } | undefined): string | undefined {
  return status?.loadBalancer?.ingress?.[0]?.ip;
}
