import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { askApi } from "../lab/api.ts";
import { waitFor } from "../lab/wait.ts";
import type { Api, Manifest } from "./api.ts";
import { startLoad } from "./client.ts";
import { useCluster } from "./cluster.ts";
import { assertAnswers, waitForAnswer } from "./forwarding.ts";
import type { Target } from "./probe/probe.ts";
import { expectCondition, expectWarnings } from "./service-state.ts";
import { createService, startWeb, waitForEndpoints } from "./workload.ts";

const ipv4 = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] };
const pool = "reserved";
const inPool = { annotations: { "bellhop.dev/pool": pool } };
const addresses = { idle: "172.30.0.170", promised: "172.30.0.171", free: "172.30.0.172", outside: "172.30.0.175" };

describe("addresses that a user reserves", () => {
  const cluster = useCluster("nftables", "reservations");

  before(async () => {
    const { api } = cluster();
    await startWeb(api);
    await reserve(api, addresses.idle);
    await reserve(api, addresses.promised, "promised");
    await reserve(api, addresses.outside, "outside");
    await api.apply({
      apiVersion: "bellhop.dev/v1beta1",
      kind: "IPAddressPool",
      metadata: { name: pool },
      spec: { addresses: [`${addresses.idle}-${addresses.free}`], autoAssign: false },
    });
  });

  after(async () => {
    const { api } = cluster();
    for (const { metadata } of await api.list("v1", "Service")) await api.delete("v1", "Service", metadata.name);
    for (const name of Object.values(addresses)) {
      if ((await virtualIp(api, name)) !== undefined) await api.delete("bellhop.dev/v1beta1", "VirtualIP", name);
    }
    await api.delete("bellhop.dev/v1beta1", "IPAddressPool", pool);
  });

  test("no other Service gets them; a request for one is refused, with one event however long it lasts", async () => {
    const { api } = cluster();
    await createService(api, "other", ipv4, "web", inPool);
    assert.deepEqual(await api.waitForAddresses("other"), [addresses.free]);
    await createService(api, "greedy", { ...ipv4, loadBalancerIP: addresses.idle });
    await expectCondition(api, "greedy", "False", "RequestedAddressReserved");
    const before = (await api.get("v1", "Service", "greedy")).status;
    for (let round = 0; round < 5; round++) {
      await createService(api, "passing", { ...ipv4, loadBalancerIP: addresses.free }, "web");
      await api.delete("v1", "Service", "passing");
    }
    await sleep(1_000);
    const warnings = await expectWarnings(api, "greedy");
    assert.equal(warnings.length, 1, JSON.stringify(warnings));
    assert.deepEqual((await api.get("v1", "Service", "greedy")).status, before);
  });

  for (const name of ["promised", "outside"] as const) {
    test(`the Service it is for gets it when it comes, in or outside a pool (${name}); it stays reserved when it goes`, async () => {
      const { api } = cluster();
      for (let round = 0; round < 2; round++) {
        await createService(api, name, ipv4);
        assert.deepEqual(await api.waitForAddresses(name), [addresses[name]]);
        await waitForEndpoints(api, name);
        await waitForAnswer(api, addresses[name]);
        await assertAnswers(api, "client", { protocol: "tcp", host: addresses[name], port: 80, question: "/hostname" });
        await api.delete("v1", "Service", name);
        await waitFor({ what: `Service ${name} to go`, timeoutMs: 10_000 }, async () =>
          (await api.find("v1", "Service", name)) === undefined ? true : undefined,
        );
      }
      const { spec } = await api.get("bellhop.dev/v1beta1", "VirtualIP", addresses[name]);
      assert.deepEqual(spec.services, [{ namespace: api.namespace, name }]);
    });
  }

  test("its manifest may be applied and replaced again and again: it stays in sync, nothing moves, and no request is lost", async () => {
    const { api, lab } = cluster();
    const address = addresses.promised;
    await createService(api, "promised", ipv4);
    assert.deepEqual(await api.waitForAddresses("promised"), [address]);
    await waitForEndpoints(api, "promised");
    await waitForAnswer(api, address);
    await lab.kubectl(["wait", `virtualip/${address}`, "--for=jsonpath={.status.node}", "--timeout=30s"]);
    const before = await api.get("bellhop.dev/v1beta1", "VirtualIP", address);
    assert.deepEqual(before.spec.owners, []);
    assert.equal(before.status.owners[0].node, before.status.node);
    const manifest = reservation(api, address, "promised");
    const input = JSON.stringify(manifest);
    const target: Target = { protocol: "tcp", host: address, port: 80, question: "/hostname" };
    const load = startLoad(lab, "client", { target, intervalMs: 20, timeoutMs: 2_000 });
    try {
      for (let round = 0; round < 3; round++) {
        // As Argo CD and Flux apply it: without force, so that a field with another writer would be a conflict.
        await lab.kubectl(["apply", "--server-side", "--field-manager=gitops", "-f", "-"], input);
        await lab.kubectl(["replace", "-f", "-"], input);
        await sleep(500);
      }
    } catch (error) {
      await load.stop();
      throw error;
    }
    const report = await load.stop();
    assert.ok(report.good > 20, `${report.good} answers`);
    assert.deepEqual(report.failures, []);
    const after = await api.get("bellhop.dev/v1beta1", "VirtualIP", address);
    // Not even a version: the controller has written nothing, and neither has the announcer.
    assert.deepEqual([after.spec, after.status], [before.spec, before.status]);
    // Exits with 1 if there is a difference.
    await lab.kubectl(["diff", "--server-side", "--field-manager=gitops", "-f", "-"], input);
    await api.delete("v1", "Service", "promised");
  });

  test("once a reservation is deleted, who waits for the address gets it", async () => {
    const { api } = cluster();
    await api.delete("bellhop.dev/v1beta1", "VirtualIP", addresses.idle);
    assert.deepEqual(await api.waitForAddresses("greedy"), [addresses.idle]);
  });

  test("the API server refuses one whose name does not fit its address, and says how it must be", async () => {
    const { lab } = cluster();
    const answer = await askApi(lab.apiSocket, "POST", "/apis/bellhop.dev/v1beta1/virtualips", {
      apiVersion: "bellhop.dev/v1beta1",
      kind: "VirtualIP",
      metadata: { name: "my-address" },
      spec: { address: "172.30.0.176" },
    });
    assert.equal(answer.status, 422, answer.body);
    assert.match(answer.body, /'my-address' does not match 172\.30\.0\.176/);
  });
});

async function reserve(api: Api, address: string, service?: string): Promise<void> {
  await api.apply(reservation(api, address, service));
}

function reservation(api: Api, address: string, service?: string): Manifest {
  const services = service === undefined ? {} : { services: [{ namespace: api.namespace, name: service }] };
  return {
    apiVersion: "bellhop.dev/v1beta1",
    kind: "VirtualIP",
    metadata: { name: address },
    spec: { address, ...services },
  };
}

function virtualIp(api: Api, address: string) {
  return api.find("bellhop.dev/v1beta1", "VirtualIP", address);
}
