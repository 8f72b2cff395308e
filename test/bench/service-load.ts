import { Api, type ApiObject } from "../e2e/api.ts";
import { askApi } from "../lab/api.ts";
import type { Lab } from "../lab/lab.ts";
import { waitFor } from "../lab/wait.ts";

const namespace = "bench";
/** Requests of ours under way at once while Services are made. */
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
    await this.#api.apply(pool);
    await this.#api.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  }

  /** Makes Services `s<from>` up to but without `s<to>`. */
  async create(from: number, to: number): Promise<void> {
    let next = from;
    const work = async (): Promise<void> => {
      while (next < to) await this.#createOne(`s${next++}`);
    };
    await Promise.all(Array.from({ length: inFlight }, work));
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

function addressOf(status: { loadBalancer?: { ingress?: { ip?: string }[] } } | undefined): string | undefined {
  return status?.loadBalancer?.ingress?.[0]?.ip;
}
