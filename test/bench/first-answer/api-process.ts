import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { FakeApiServer } from "../../../src/kube/fake.ts";
import { ownPath } from "../../../src/kube/path.ts";
import { monotonicMs } from "../../e2e/probe/monotonic.ts";
import { serveFake } from "../../unit/src/kube/serve-fake.ts";
import type { SeenObject } from "./seen-object.ts";

/**
 * An API server in memory with one node, n1, and a pool. Prints its address. Answers each line with a line of JSON: `create NAME SPEC` makes a
 * Service whose only pod is that of n1, and says when that began and ended; `address NAME` says which address it has, once it has one; `delete NAME` deletes both; `seen` says what has changed.
 */
const api = new FakeApiServer();
const servicesPath = "/api/v1/namespaces/default/services";
const slicesPath = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
const post = (path: string, body: unknown) => api.request({ method: "POST", path, body });
await post("/api/v1/namespaces", { metadata: { name: "default" } });
await post("/api/v1/nodes", {
  metadata: { name: "n1" },
  status: {
    addresses: [{ type: "InternalIP", address: "192.0.2.11" }],
    conditions: [{ type: "Ready", status: "True" }],
  },
});
await post(ownPath("ipaddresspools"), { metadata: { name: "lan" }, spec: { addresses: ["192.0.2.200-192.0.2.209"] } });

type Kind = "services" | "virtualIps" | "slices";
const seen: Readonly<Record<Kind, SeenObject[]>> = { services: [], virtualIps: [], slices: [] };

async function watch(path: string, changes: SeenObject[]): Promise<void> {
  const options = { signal: new AbortController().signal, silenceMs: Number.POSITIVE_INFINITY };
  for await (const event of api.watch({ method: "GET", path, query: {} }, options)) {
    changes.push({ ...(event as Pick<SeenObject, "type" | "object">), atMs: monotonicMs() });
  }
}
void watch("/api/v1/services", seen.services);
void watch(ownPath("virtualips"), seen.virtualIps);
void watch("/apis/discovery.k8s.io/v1/endpointslices", seen.slices);

async function create(name: string, spec: object): Promise<{ readonly startMs: number; readonly createdMs: number }> {
  const startMs = monotonicMs();
  const ports = [{ name: "http", protocol: "TCP", port: 80, targetPort: 8080, ...spec }];
  await post(servicesPath, {
    metadata: { name, namespace: "default" },
    spec: { type: "LoadBalancer", ipFamilies: ["IPv4"], ports },
  });
  const createdMs = monotonicMs();
  await post(slicesPath, {
    metadata: { name, namespace: "default", labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: [{ name: "http", protocol: "TCP", port: 8080 }],
    endpoints: [{ addresses: ["10.244.1.2"], nodeName: "n1", conditions: { ready: true } }],
  });
  return { startMs, createdMs };
}

async function remove(name: string): Promise<null> {
  await api.request({ method: "DELETE", path: `${servicesPath}/${name}` });
  await api.request({ method: "DELETE", path: `${slicesPath}/${name}` });
  return null;
}

/** Resolves to the address of the Service, when it has one. Looks at what a watch has brought, and costs the API server nothing. */
async function addressOf(name: string): Promise<string> {
  for (;;) {
    const own = seen.services.findLast(({ object }) => object.metadata.name === name);
    const address: unknown = own?.object.status?.loadBalancer?.ingress?.[0]?.ip;
    if (typeof address === "string") return address;
    await sleep(1);
  }
}

console.log((await serveFake(api)).url);
for await (const line of createInterface({ input: process.stdin })) {
  const [command, name = "", spec = "{}"] = line.split(" ");
  const answer =
    command === "create"
      ? await create(name, JSON.parse(spec) as object)
      : command === "delete"
        ? await remove(name)
        : command === "address"
          ? await addressOf(name)
          : seen;
  console.log(JSON.stringify(answer));
}
