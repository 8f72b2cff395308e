import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { waitFor } from "../lab/wait.ts";
import { productNamespace } from "../product/install.ts";
import type { ApiObject } from "./api.ts";
import { useCluster } from "./cluster.ts";
import { createService } from "./workload.ts";

const rounds = 10;
const pool = "race";
const address = "172.30.0.199";
const deployment = "deployment/bellhop-controller";

describe("two controllers that both lead, and one address", () => {
  const cluster = useCluster("nftables", "race");

  before(async () => {
    await setArguments(["controller", "--leader-elect=false"]);
    await cluster().api.apply({
      apiVersion: "bellhop.dev/v1beta1",
      kind: "IPAddressPool",
      metadata: { name: pool },
      spec: { addresses: [address], autoAssign: false },
    });
  });

  after(async () => {
    await setArguments(["controller"]);
    await cluster().api.delete("bellhop.dev/v1beta1", "IPAddressPool", pool);
  });

  async function setArguments(args: readonly string[]): Promise<void> {
    const { lab } = cluster();
    const patch = { spec: { template: { spec: { containers: [{ name: "controller", args }] } } } };
    await lab.kubectl(["-n", productNamespace, "patch", deployment, "--patch", JSON.stringify(patch)]);
    await lab.kubectl(["-n", productNamespace, "rollout", "status", deployment, "--timeout=60s"], undefined, 70_000);
  }

  test("both really act, without asking who leads", async () => {
    const { lab } = cluster();
    const logs = await lab.kubectl([
      "-n",
      productNamespace,
      "get",
      "pods",
      "-l",
      "app.kubernetes.io/component=controller",
      "-o",
      "json",
    ]);
    const pods = (JSON.parse(logs) as { items: ApiObject[] }).items;
    const running = pods.filter(
      ({ metadata, status }) => status.phase === "Running" && !("deletionTimestamp" in metadata),
    );
    assert.equal(running.length, 2);
    for (const pod of running) assert.deepEqual(pod.spec.containers[0].args, ["controller", "--leader-elect=false"]);
  });

  test(`exactly one of two Services gets it, the other learns which Service has it, ${rounds} times in a row`, async () => {
    const { api } = cluster();
    for (let round = 0; round < rounds; round++) {
      const names = [`left-${round}`, `right-${round}`] as const;
      await Promise.all(
        names.map((name) =>
          api.apply({
            apiVersion: "v1",
            kind: "Service",
            metadata: { name, annotations: { "bellhop.dev/pool": pool } },
            spec: {
              type: "LoadBalancer",
              allocateLoadBalancerNodePorts: false,
              ipFamilies: ["IPv4"],
              ports: [{ port: 80 }],
            },
          }),
        ),
      );
      const settled = await waitFor({ what: `round ${round} to settle`, timeoutMs: 10_000 }, async () => {
        const services = await Promise.all(names.map((name) => api.get("v1", "Service", name)));
        const reasons = services.map((service) => readyReason(service));
        return reasons.includes("AddressAssigned") && reasons.includes("PoolExhausted") ? services : undefined;
      });
      const winners = settled.filter((service) => (service.status.loadBalancer.ingress ?? []).length > 0);
      assert.deepEqual(
        winners.map((service) => service.status.loadBalancer.ingress[0].ip),
        [address],
      );
      const { spec } = await api.get("bellhop.dev/v1beta1", "VirtualIP", address);
      assert.deepEqual(
        spec.services.map((service: { name: string }) => service.name),
        winners.map((service) => service.metadata.name),
      );
      for (const name of names) await api.delete("v1", "Service", name);
      await waitFor({ what: `the address of round ${round} to be free`, timeoutMs: 10_000 }, async () => {
        const gone = await Promise.all(names.map((name) => api.find("v1", "Service", name)));
        return (
          gone.every((service) => service === undefined) &&
          (await api.find("bellhop.dev/v1beta1", "VirtualIP", address)) === undefined
        );
      });
    }
  });

  test("two controllers without work leave the API server in peace", async () => {
    const { api } = cluster();
    await createService(api, "quiet", { allocateLoadBalancerNodePorts: false });
    await api.waitForAddresses("quiet");
    const read = async () => [
      await api.get("v1", "Service", "quiet"),
      ...(await api.list("bellhop.dev/v1beta1", "VirtualIP")),
    ];
    // Where the first owner is slow, the next one announces the address, the list follows, and the speaker reports by that list.
    await waitFor({ what: "the address to be announced by the newest list", timeoutMs: 10_000 }, async () => {
      const mine = (await api.list("bellhop.dev/v1beta1", "VirtualIP")).filter(
        ({ spec }) => spec.services[0]?.name === "quiet",
      );
      return mine.length === 2 && mine.every(isSettled);
    });
    const written = (objects: readonly ApiObject[]) =>
      objects.map(({ metadata: { resourceVersion, name }, spec, status }) => ({ resourceVersion, name, spec, status }));
    const first = written(await read());
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    assert.deepEqual(written(await read()), first);
  });
});

/** Whether the first owner announces the address, and says so of the newest list. */
function isSettled({ metadata, spec, status }: ApiObject): boolean {
  return status?.node === spec.owners[0] && status?.observedGeneration === metadata.generation;
}

function readyReason(service: ApiObject): string | undefined {
  return service.status?.conditions?.find((entry: { type: string }) => entry.type === "bellhop.dev/AddressReady")
    ?.reason;
}
