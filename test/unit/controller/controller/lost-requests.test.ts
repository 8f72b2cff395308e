import assert from "node:assert/strict";
import { test } from "node:test";
import { BellhopError } from "../../../../src/error/error.ts";
import { ApiError } from "../../../../src/kube/api-error.ts";
import type { ApiClient } from "../../../../src/kube/client.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster(async (cluster) => {
  await cluster.addNode("n1");
  await cluster.addNode("n2");
  await cluster.addPool("lan", ["192.0.2.10-192.0.2.99"]);
});

/** What must hold once everything is quiet: each Service shows the one address that is claimed in its name. */
async function assertSettled(count: number): Promise<void> {
  const services = await cluster.services();
  const claims = await cluster.virtualIps();
  assert.equal(services.length, count);
  const shown = services.map(
    ({ metadata, status }) => `${metadata?.uid} ${status?.loadBalancer?.ingress?.map(({ ip }) => ip)}`,
  );
  const claimed = claims.map(({ spec }) => `${spec.services[0]?.uid} ${spec.address}`);
  assert.deepEqual(shown.sort(), claimed.sort());
  assert.equal(new Set(claims.map(({ spec }) => spec.address)).size, count);
}

/** Numbers that look random and are the same each time. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

for (const seed of [1, 2, 3]) {
  test(`with requests and answers that get lost, watches that break and versions that expire, all comes right (${seed})`, async () => {
    const random = sequence(seed);
    await cluster.start();
    const ours = (path: string): boolean => path.includes("virtualips") || path.endsWith("/status");
    cluster.server.intercept = ({ method, path, query }) => {
      if (method === "GET" && query?.watch === undefined) return;
      if (!ours(path)) return;
      const draw = random();
      if (draw < 0.1) throw new BellhopError("ApiUnreachable", "lost on the way there");
      if (draw < 0.15) throw new ApiError(500, "InternalError", "etcd is thinking");
    };
    cluster.server.loseAnswer = ({ method, path }) => {
      if (method !== "GET" && ours(path) && random() < 0.15) {
        throw new BellhopError("ApiUnreachable", "lost on the way back");
      }
    };
    // The test's own requests are neither lost nor refused: they go to other paths.
    for (let index = 0; index < 40; index++) {
      await cluster.addService(`web${index}`);
      if (index % 10 === 5) cluster.server.endWatches(new BellhopError("ApiUnreachable", "cut"));
      if (index % 10 === 7) cluster.server.compact();
    }
    for (let index = 0; index < 10; index++) await cluster.deleteService(`web${index}`);
    await cluster.pass(500);
    cluster.server.intercept = undefined;
    cluster.server.loseAnswer = undefined;
    await cluster.eventually(() => assertSettled(30));
  });
}

test("a controller that loses its lead and regains it continues from what exists", async () => {
  const { controller } = await cluster.start();
  for (let index = 0; index < 10; index++) await cluster.addService(`web${index}`);
  await cluster.eventually(() => assertSettled(10));
  await cluster.stopAll();
  const aborter = new AbortController();
  const watching = new AbortController();
  const watches = controller.watch(watching.signal);
  const first = controller.lead(aborter.signal);
  for (let index = 10; index < 20; index++) await cluster.addService(`web${index}`);
  aborter.abort();
  await first;
  const again = new AbortController();
  const second = controller.lead(again.signal);
  await cluster.eventually(() => assertSettled(20));
  again.abort();
  await second;
  watching.abort();
  await watches;
});

const statusOf = (name: string): string => `/api/v1/namespaces/default/services/${name}/status`;

test("a Service that goes between its claim and its finalizer leaves no claim behind", async () => {
  await cluster.start();
  cluster.server.intercept = async ({ method, path }) => {
    if (method !== "PATCH" || path !== statusOf("web")) return;
    cluster.server.intercept = undefined;
    assert.equal((await cluster.virtualIps()).length, 1);
    await cluster.deleteService("web");
  };
  await cluster.addService("web");
  await cluster.eventually(async () => assert.equal(cluster.server.intercept, undefined));
  await cluster.eventually(async () => assert.deepEqual(await cluster.virtualIps(), []));
  assert.deepEqual(await cluster.services(), []);
});

test("so it is when the controller dies there, and the Service goes before the next one starts", async () => {
  await cluster.start();
  cluster.server.intercept = ({ method, path }) => {
    if (method === "PATCH" && path === statusOf("web")) throw new BellhopError("ApiUnreachable", "dead");
  };
  await cluster.addService("web");
  await cluster.eventually(async () => assert.equal((await cluster.virtualIps()).length, 1));
  await cluster.stopAll();
  cluster.server.intercept = undefined;
  await cluster.deleteService("web");
  assert.equal((await cluster.virtualIps()).length, 1);
  await cluster.start();
  await cluster.eventually(async () => assert.deepEqual(await cluster.virtualIps(), []));
});

test("so it is when another Service of the same name has come meanwhile: it gets a claim of its own", async () => {
  await cluster.start();
  cluster.server.intercept = async ({ method, path }) => {
    if (method !== "PATCH" || path !== statusOf("web")) return;
    cluster.server.intercept = undefined;
    await cluster.deleteService("web");
    await cluster.addService("web");
  };
  await cluster.addService("web");
  await cluster.eventually(async () => assert.equal(cluster.server.intercept, undefined));
  await cluster.eventually(() => assertSettled(1));
});

test("so it is when the Service leaves type LoadBalancer there, and nothing of ours is left on it", async () => {
  await cluster.start();
  cluster.server.intercept = async ({ method, path }) => {
    if (method !== "PATCH" || path !== statusOf("web")) return;
    cluster.server.intercept = undefined;
    await cluster.changeService("web", { spec: { type: "ClusterIP" } });
  };
  await cluster.addService("web");
  await cluster.eventually(async () => assert.equal(cluster.server.intercept, undefined));
  await cluster.eventually(async () => assert.deepEqual(await cluster.virtualIps(), []));
  assert.equal((await cluster.service("web"))?.metadata?.finalizers, undefined);
});

/** A way to the API server on which no watch of these collections ever says anything. */
function deafTo(server: ApiClient, collections: readonly string[]): ApiClient {
  return {
    request: (request) => server.request(request),
    list: (request, take) => server.list(request, take),
    watch: (request, options) => {
      const deaf = collections.some((collection) => request.path.endsWith(collection));
      return server.watch(deaf ? { ...request, path: "/apis/bellhop.dev/v1beta1/nothing" } : request, options);
    },
  };
}

test("a second leader that hears of neither pool nor claim takes no address away, and is not answered without end", async () => {
  const server = cluster.server;
  await cluster.start({}, deafTo(server, ["ipaddresspools", "virtualips"]));
  await cluster.addPool("late", ["198.51.100.10-198.51.100.20"]);
  await cluster.start();
  const shown = new Set<string>();
  let writes = 0;
  server.intercept = async ({ method, path, body }) => {
    if (method !== "PATCH" || path !== statusOf("web")) return;
    writes++;
    const { status } = body as { status?: { loadBalancer?: { ingress?: { ip: string }[] | null } } };
    if (status?.loadBalancer !== undefined) shown.add(JSON.stringify(status.loadBalancer.ingress?.map(({ ip }) => ip)));
  };
  await cluster.addService("web", { loadBalancerIP: "198.51.100.15" });
  await cluster.eventually(async () => assert.deepEqual(await cluster.shown("web"), ["198.51.100.15"]));
  await cluster.idle();
  assert.deepEqual([...shown], ['["198.51.100.15"]']);
  assert.ok(writes < 30, `${writes} writes to one Service`);
});
