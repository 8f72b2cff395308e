import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { ApiError } from "../../../../src/kube/api-error.ts";
import { LateClient } from "../fake-cluster/late-client.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

/** A restricted pool that a namespace without labels would be served from. */
const pool = {
  serviceAllocation: {
    namespaceSelectors: [{ matchExpressions: [{ key: "tier", operator: "NotIn", values: ["restricted"] }] }],
  },
};

describe("a Service that is seen before its namespace", () => {
  let late: LateClient;

  // Before the controllers are stopped.
  afterEach(() => late.catchUp());
  const cluster = useCluster(async (cluster) => {
    late = new LateClient(cluster.server, "/api/v1/namespaces");
    await cluster.addNode("n1");
    await cluster.addPool("open", ["192.0.2.10"], pool);
  });

  async function addNamespace(labels: Record<string, string>): Promise<void> {
    late.holdBack();
    const body = { metadata: { name: "default", labels } };
    await cluster.server.request({ method: "POST", path: "/api/v1/namespaces", body });
  }

  test("gets nothing from a pool that does not admit the labels of the namespace", async () => {
    await cluster.start({}, late);
    await addNamespace({ tier: "restricted" });
    await cluster.addService("web");
    await cluster.expectCondition("web", "False NoPoolForService");
    assert.deepEqual(await cluster.virtualIps(), []);
    late.catchUp();
    await cluster.idle();
    assert.deepEqual(await cluster.virtualIps(), []);
  });

  test("is served by a pool that admits them", async () => {
    await cluster.start({}, late);
    await addNamespace({ tier: "web" });
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
  });

  test("waits while the namespace cannot be read either", async () => {
    await cluster.start({}, late);
    await addNamespace({ tier: "restricted" });
    cluster.server.intercept = ({ method, path }) => {
      if (method === "GET" && path === "/api/v1/namespaces/default")
        throw new ApiError(500, "InternalError", "etcd is away");
    };
    await cluster.addService("web");
    await cluster.idle();
    assert.equal(await cluster.condition("web"), "none");
    assert.deepEqual(await cluster.virtualIps(), []);
    late.catchUp();
    await cluster.expectCondition("web", "False NoPoolForService");
  });

  test("costs no more requests if no pool selects by labels", async () => {
    await cluster.changePool("open", { serviceAllocation: null });
    await cluster.start({}, late);
    await addNamespace({ tier: "restricted" });
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    assert.ok(!cluster.server.requests.some(({ path }) => path === "/api/v1/namespaces/default"));
  });
});
