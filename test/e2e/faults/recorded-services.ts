import assert from "node:assert/strict";
import { waitFor } from "../../lab/wait.ts";
import type { Api, ApiObject } from "../api.ts";

const pool = {
  apiVersion: "bellhop.dev/v1beta1",
  kind: "IPAddressPool",
  metadata: { name: "faults" },
  spec: { addresses: ["fd30::f000-fd30::f0ff"] },
};

/** Long enough for a request that is never answered (30 s), and what follows it. */
const limitMs = 90_000;

/** Creates and deletes Services, records every address that they show, and checks what must hold in spite of failures. */
export class RecordedServices {
  readonly api: Api;
  /** Every address that a Service was ever seen with, by uid. */
  readonly #seen = new Map<string, Set<string>>();

  constructor(api: Api) {
    this.api = api;
  }

  async prepare(): Promise<void> {
    await this.api.apply(pool);
  }

  async create(names: readonly string[]): Promise<void> {
    await Promise.all(
      names.map((name) =>
        this.api.apply({
          apiVersion: "v1",
          kind: "Service",
          metadata: { name },
          spec: {
            type: "LoadBalancer",
            ipFamilies: ["IPv6"],
            ipFamilyPolicy: "SingleStack",
            allocateLoadBalancerNodePorts: false,
            ports: [{ port: 80, protocol: "TCP" }],
          },
        }),
      ),
    );
  }

  async delete(names: readonly string[]): Promise<void> {
    await Promise.all(names.map((name) => this.api.delete("v1", "Service", name)));
  }

  /** Deletes all Services of the type but these. A controller has to run before they are gone. */
  async deleteOthers(names: readonly string[]): Promise<void> {
    const services = (await this.api.list("v1", "Service")).filter(({ spec }) => spec.type === "LoadBalancer");
    await this.delete(services.map(({ metadata }) => metadata.name).filter((name) => !names.includes(name)));
  }

  /**
   * Waits until exactly these Services are there, each with its address, and exactly their claims; and throws if at any moment
   * two Services showed one address or a Service's address changed.
   */
  async settle(names: readonly string[]): Promise<void> {
    let last = "";
    const what = "all to come right";
    await waitFor({ what, timeoutMs: limitMs, intervalMs: 200, hope: () => true }, async () => {
      last = await this.#lacking(names);
      return last === "" ? true : undefined;
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${last}`, { cause: error });
    });
  }

  async #lacking(names: readonly string[]): Promise<string> {
    const services = (await this.api.list("v1", "Service")).filter(({ spec }) => spec.type === "LoadBalancer");
    const claims = await this.api.list("bellhop.dev/v1beta1", "VirtualIP");
    this.#watch(services);
    const present = services.map(({ metadata }) => metadata.name);
    const strange = present.filter((name) => !names.includes(name));
    const missing = names.filter((name) => !present.includes(name));
    if (strange.length + missing.length > 0) return `there are still ${strange}; missing ${missing}`;
    const bare = services.filter((service) => addressOf(service) === undefined).map(({ metadata }) => metadata.name);
    if (bare.length > 0) return `without an address: ${bare}`;
    const shown = services.map((service) => `${addressOf(service)} ${service.metadata.uid}`).sort();
    const claimed = claims.map(({ spec }) => `${spec.address} ${spec.services[0]?.uid}`).sort();
    return shown.join() === claimed.join() ? "" : `shown ${shown.join("; ")}, claimed ${claimed.join("; ")}`;
  }

  #watch(services: readonly ApiObject[]): void {
    const holders = new Map<string, string>();
    for (const service of services) {
      const address = addressOf(service);
      if (address === undefined) continue;
      const { name, uid = "" } = service.metadata;
      assert.equal(holders.get(address), undefined, `${holders.get(address)} and ${name} both show ${address}`);
      holders.set(address, name);
      const seen = this.#seen.get(uid) ?? new Set();
      this.#seen.set(uid, seen.add(address));
      assert.equal(seen.size, 1, `Service ${name} has had ${[...seen]}`);
    }
  }
}

function addressOf({ status }: ApiObject): string | undefined {
  return status?.loadBalancer?.ingress?.[0]?.ip;
}
