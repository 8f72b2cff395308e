import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { useCluster } from "./cluster.ts";
import { assertAnswers, waitForAnswer } from "./forwarding.ts";
import { changesOf, useGuide } from "./guide.ts";
import { createLive, type LiveService, migrationCluster, removeProduct } from "./other-load-balancer.ts";
import { expectCondition } from "./service-state.ts";
import { agnhostImage, createService, startWeb } from "./workload.ts";

const prefix = "svccontroller.k3s.cattle.io/";
const finalizer = "service.kubernetes.io/load-balancer-cleanup";
const ipv4 = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] };
const nodesIPv4 = ["172.30.0.11", "172.30.0.12", "172.30.0.13"];
const nodesIPv6 = ["fd30::11", "fd30::12", "fd30::13"];
const tcp = (port: number) => ({ ports: [{ name: "http", protocol: "TCP", port, targetPort: 8080 }] });

/** Services as ServiceLB serves them: with the addresses of all nodes, by family. */
const live: readonly (LiveService & { readonly port: number })[] = [
  { name: "traefik", spec: tcp(80), finalizers: [finalizer], addresses: [...nodesIPv4, ...nodesIPv6], port: 80 },
  {
    name: "old",
    spec: { ...ipv4, ...tcp(443), externalTrafficPolicy: "Local" },
    finalizers: [finalizer, `${prefix}daemonset`],
    addresses: nodesIPv4,
    port: 443,
  },
];

describe("from ServiceLB, as docs/migrate-from-klipper.md says", () => {
  const cluster = useCluster("nftables", "migrate-klipper", migrationCluster);
  const page = useGuide("migrate-from-klipper.md", cluster);

  before(async () => {
    const { api } = cluster();
    await removeProduct(api);
    await startWeb(api);
    for (const service of live) {
      await createLive(api, service, "k3s");
      await api.inNamespace("kube-system").apply(daemonSetOf(service));
    }
  });

  after(async () => {
    const { api, lab } = cluster();
    await lab.kubectl(["-n", "kube-system", "delete", "daemonsets", "-l", `${prefix}svcname`]);
    for (const { metadata } of await api.list("v1", "Service")) await api.delete("v1", "Service", metadata.name);
    await lab.kubectl(["delete", "ipaddresspools.bellhop.dev", "nodes", "--ignore-not-found"]);
  });

  /** As k3s publishes them in a DaemonSet for the Service, whose pods reserve its ports. */
  function daemonSetOf({ name, port }: (typeof live)[number]) {
    const labels = {
      app: `svclb-${name}-12345678`,
      [`${prefix}svcname`]: name,
      [`${prefix}svcnamespace`]: "migrate-klipper",
    };
    const ports = [{ name: `lb-tcp-${port}`, containerPort: port, hostPort: port, protocol: "TCP" }];
    const containers = [
      { name: `lb-tcp-${port}`, image: agnhostImage, imagePullPolicy: "IfNotPresent", args: ["pause"], ports },
    ];
    return {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { name: labels.app, labels: { ...labels, [`${prefix}nodeselector`]: "false" } },
      spec: {
        selector: { matchLabels: { app: labels.app } },
        template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers } },
      },
    };
  }

  async function assertReachable(): Promise<void> {
    const { api } = cluster();
    for (const { addresses, port } of live) {
      for (const host of addresses) {
        await waitForAnswer(api, host, 15_000, port);
        await assertAnswers(api, "client", { protocol: "tcp", host, port, question: "/hostname" });
      }
    }
  }

  test("1: before anything is installed, the check knows ServiceLB, and both ways lead where the page says", async () => {
    const [lan = ""] = page().blocksOf("A range of the LAN instead");
    const moved = await page().check(
      lan.replace("192.0.2.200-192.0.2.250", "172.30.0.200-172.30.0.250,fd30::200-fd30::2ff"),
    );
    assert.deepEqual(changesOf(moved), ["migrate-klipper/old moves", "migrate-klipper/traefik moves"]);
    const [nodes = ""] = page().blocksOf("1. ");
    const kept = await page().check(nodes);
    assert.deepEqual(changesOf(kept), []);
    assert.ok(kept.services.every(({ servedBy }) => servedBy?.name === "ServiceLB"));
    assert.deepEqual(kept.pools[0]?.nodes, ["n1", "n2", "n3"]);
    const old = kept.services.find(({ service }) => service.endsWith("/old"));
    assert.deepEqual(
      old?.remarks.map(({ code }) => code),
      ["FinalizerRemains"],
    );
  });

  test("2-3: Bellhop without a pool changes nothing of what ServiceLB serves", async () => {
    await page().follow("2. ");
    await page().follow("3. ");
    await page().assertUserImage();
    const { api } = cluster();
    for (const { name, addresses, finalizers } of live) {
      const { metadata, status } = await api.get("v1", "Service", name);
      assert.deepEqual(
        status.loadBalancer.ingress.map(({ ip }: { ip: string }) => ip),
        addresses,
      );
      assert.deepEqual(metadata.finalizers, finalizers);
    }
  });

  test("4-5: ServiceLB is disabled and the pool is applied: the addresses answer all the time, and stay", async () => {
    const { api, lab } = cluster();
    // What k3s does when it starts without ServiceLB (pkg/cloudprovider/cloudprovider.go).
    await lab.kubectl(["-n", "kube-system", "delete", "daemonsets", "-l", `${prefix}nodeselector`]);
    const [list = "", ...others] = page().blocksOf("4. ");
    assert.equal(await page().succeed(list), "");
    for (const block of others) await page().succeed(block);
    await assertReachable();
    await page().follow("5. ");
    for (const { name } of live) {
      await expectCondition(api, name, "True", "AddressAssigned");
      assert.deepEqual((await api.get("v1", "Service", name)).metadata.finalizers, [finalizer]);
      const moves = (await api.events("Service", name)).filter(({ reason }) => reason === "UpdatedLoadBalancer");
      assert.deepEqual(moves, []);
    }
    await assertReachable();
  });

  test("6: the list of addresses is the one from before, and nothing would change", async () => {
    await page().follow("6. ");
    await page().assertUserImage();
  });

  test("a Service whose port another one has waits, and gets the nodes when that one is deleted", async () => {
    const { api } = cluster();
    await createService(api, "later", { ...ipv4, ...tcp(80) });
    await expectCondition(api, "later", "False", "NodeAddressPortTaken");
    await api.delete("v1", "Service", "traefik");
    assert.deepEqual(await waitForShown("later"), nodesIPv4);
  });

  async function waitForShown(name: string): Promise<readonly string[]> {
    const { api } = cluster();
    await expectCondition(api, name, "True", "AddressAssigned");
    const { status } = await api.get("v1", "Service", name);
    return status.loadBalancer.ingress.map(({ ip }: { ip: string }) => ip);
  }
});
