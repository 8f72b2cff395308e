import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { releaseDeletedServices } from "../../../../controller/uninstall/release-deleted.ts";
import { ApiError } from "../../../../src/kube/api-error.ts";
import type { ApiRequest } from "../../../../src/kube/client.ts";
import { ownPath } from "../../../../src/kube/path.ts";
import { silentLogger } from "../../../../src/log/log.ts";
import { projectService } from "../../../../src/model/service.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const virtualIps = ownPath("virtualips");
const ownApi = virtualIps.slice(0, virtualIps.lastIndexOf("/"));

describe("a controller that starts without a kind of Bellhop", () => {
  const cluster = useCluster();

  /** Two served Services, of which one was deleted when no controller was there; and a deleted one of another system. */
  beforeEach(async () => {
    await cluster.addPool("lan", ["192.0.2.0/28"]);
    await cluster.addService("going");
    await cluster.addService("staying");
    await cluster.start();
    await cluster.expectCondition("going", "True AddressAssigned");
    await cluster.expectCondition("staying", "True AddressAssigned");
    await cluster.stopAll();
    const finalizers = ["service.kubernetes.io/load-balancer-cleanup"];
    await cluster.addService("theirs", { loadBalancerClass: "example.com/other" }, { finalizers });
    await cluster.deleteService("going");
    await cluster.deleteService("theirs");
  });

  function refuse(status: number): void {
    cluster.server.intercept = ({ path }: ApiRequest) => {
      if (path === virtualIps) throw new ApiError(status, "", "no");
    };
  }

  /** What is left after a minute. */
  async function run(): Promise<readonly string[]> {
    const ending = new AbortController();
    const services = (await cluster.services()).map((service) => projectService(service));
    const { server: client, clock } = cluster;
    const running = releaseDeletedServices(
      { client, services: () => services, clock, log: silentLogger },
      ending.signal,
    );
    await cluster.pass(60_000);
    ending.abort();
    await running;
    return (await cluster.services()).map(({ metadata }) => metadata?.name ?? "").toSorted();
  }

  test("releases a Service that is being deleted, and touches no other", async () => {
    refuse(404);
    const before = await cluster.service("staying");
    assert.deepEqual(await run(), ["staying", "theirs"]);
    assert.deepEqual(await cluster.service("staying"), before);
  });

  for (const [status, why] of [
    [403, "it may not read the kind"],
    [500, "the API server fails"],
    [503, "the API server is overloaded"],
  ] as const) {
    test(`touches nothing while ${why} (${status})`, async () => {
      refuse(status);
      const before = cluster.server.writes.length;
      assert.deepEqual(await run(), ["going", "staying", "theirs"]);
      assert.equal(cluster.server.writes.length, before);
    });
  }

  test("touches nothing while all kinds exist, even if they are empty", async () => {
    for (const { metadata } of await cluster.virtualIps()) {
      await cluster.server.request({ method: "DELETE", path: ownPath("virtualips", metadata.name) });
    }
    const before = cluster.server.writes.length;
    assert.deepEqual(await run(), ["going", "staying", "theirs"]);
    assert.equal(cluster.server.writes.length, before);
  });
});

describe("a controller that leads while its kinds are deleted", () => {
  const cluster = useCluster();

  test("releases a Service that is deleted then, and takes no address from others", async () => {
    await cluster.addPool("lan", ["192.0.2.0/28"]);
    await cluster.addService("going");
    await cluster.addService("staying");
    await cluster.start();
    await cluster.expectCondition("going", "True AddressAssigned");
    await cluster.expectCondition("staying", "True AddressAssigned");
    const shown = await cluster.shown("staying");
    const virtualIpsBefore = await cluster.virtualIps();
    // Deleting a CustomResourceDefinition deletes its objects first; the watch reports that.
    cluster.server.intercept = ({ method, path }: ApiRequest) => {
      if (method !== "DELETE" && path.startsWith(ownApi)) throw new ApiError(404, "NotFound", "no such kind");
    };
    for (const { metadata } of virtualIpsBefore) {
      await cluster.server.request({ method: "DELETE", path: ownPath("virtualips", metadata.name) });
    }
    await cluster.idle();
    await cluster.deleteService("going");
    await cluster.eventually(async () => assert.equal(await cluster.service("going"), undefined));
    assert.deepEqual(await cluster.shown("staying"), shown);
  });
});
