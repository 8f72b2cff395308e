import { waitFor } from "../lab/wait.ts";
import { productNamespace } from "../product/install.ts";
import type { Api } from "./api.ts";
import { createService } from "./workload.ts";

const deploy = new URL("../../deploy/", import.meta.url).pathname;

/** A lab of their own, beside the other tests: each file begins without Bellhop. */
export const migrationCluster = { lab: "e2e-migrate", withoutBellhop: true } as const;

/** A Service as another load balancer serves it: what the user wrote, and what the load balancer has put there. */
export interface LiveService {
  readonly name: string;
  /** Undefined: the namespace of the tests. */
  readonly namespace?: string;
  readonly spec?: Record<string, unknown>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly addresses: readonly string[];
}

/** Creates it for the pods of `web`, with the addresses in its status, written by that field manager. */
export async function createLive(api: Api, live: LiveService, manager: string): Promise<void> {
  const {
    name,
    namespace = api.namespace,
    spec = {},
    annotations = {},
    labels = {},
    finalizers = [],
    addresses,
  } = live;
  const there = api.inNamespace(namespace);
  await createService(there, name, spec, "web", { annotations, labels, finalizers });
  const path = `/api/v1/namespaces/${namespace}/services/${name}/status`;
  await api.lab.api("PATCH", `${path}?fieldManager=${manager}&force=true`, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    status: { loadBalancer: { ingress: addresses.map((ip) => ({ ip, ipMode: "VIP" })) } },
  });
}

/** Removes Bellhop with all its kinds, so that the cluster is one that has never seen it. */
export async function removeProduct({ lab }: Api): Promise<void> {
  await lab.kubectl(["delete", "-k", `${deploy}base`, "--ignore-not-found", "--timeout=90s"], undefined, 100_000);
  await waitFor({ what: `namespace ${productNamespace} to go`, timeoutMs: 60_000 }, async () =>
    (await lab.kubectl(["get", "namespace", productNamespace, "--ignore-not-found", "-o", "name"])) === ""
      ? true
      : undefined,
  );
}
