import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { askApi } from "../lab/api.ts";
import { waitFor } from "../lab/wait.ts";
import type { Api, ApiObject } from "./api.ts";
import { useCluster } from "./cluster.ts";
import { assertAnswers, waitForAnswer } from "./forwarding.ts";
import { expectCondition } from "./service-state.ts";
import { createService, startWeb } from "./workload.ts";

const finalizer = "service.kubernetes.io/load-balancer-cleanup";
const ipv4 = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] };

interface Port {
  readonly name: string;
  readonly port: number;
  readonly nodePort?: number;
}

const twoPorts = [
  { name: "http", protocol: "TCP", port: 80, targetPort: 8080 },
  { name: "alt", protocol: "TCP", port: 81, targetPort: 8080 },
];

/** Kubernetes' own integration tests of load balancers (test/integration/service, network, dualstack), with Bellhop in the cluster. */
describe("upstream's scenarios", () => {
  const cluster = useCluster("nftables", "scenarios");

  before(() => startWeb(cluster().api));

  /** As `kubectl patch` does it; strategic where `type` says nothing else. */
  async function patch(name: string, body: object, type = "strategic", ...more: readonly string[]): Promise<void> {
    const { api } = cluster();
    const args = ["-n", api.namespace, "patch", "service", name, `--type=${type}`, "-p", JSON.stringify(body), ...more];
    await api.lab.kubectl(args);
  }

  async function nodePorts(name: string): Promise<readonly number[]> {
    const { spec } = await cluster().api.get("v1", "Service", name);
    return spec.ports.map(({ nodePort }: Port) => nodePort ?? 0);
  }

  /** Node ports open up to a second after the API server has given them. */
  async function answers(host: string, port = 80): Promise<void> {
    await waitForAnswer(cluster().api, host, 15_000, port);
    await assertAnswers(cluster().api, "client", { protocol: "tcp", host, port, question: "/hostname" });
  }

  /** What Bellhop has to do with a change is done by then. */
  async function settle(): Promise<void> {
    await sleep(500);
  }

  describe("allocateLoadBalancerNodePorts", () => {
    test("off at creation: no node ports, and it answers; on: ports in that same update, the address stays, and it answers", async () => {
      const { api } = cluster();
      await createService(api, "off", { ...ipv4, ports: twoPorts, allocateLoadBalancerNodePorts: false });
      const [address = ""] = await api.waitForAddresses("off");
      assert.deepEqual(await nodePorts("off"), [0, 0]);
      await answers(address);
      await patch("off", { spec: { allocateLoadBalancerNodePorts: true } });
      assert.ok((await nodePorts("off")).every((port) => port >= 30_000));
      await answers(address);
      await answers(address, 81);
      assert.deepEqual(await api.waitForAddresses("off"), [address]);
    });

    test("off when the type turns into LoadBalancer", async () => {
      const { api } = cluster();
      await createService(api, "turned", { ...ipv4, type: "ClusterIP" });
      await patch("turned", { spec: { type: "LoadBalancer", allocateLoadBalancerNodePorts: false } });
      const [address = ""] = await api.waitForAddresses("turned");
      assert.deepEqual(await nodePorts("turned"), [0, 0]);
      await answers(address);
    });

    test("on, then off by a patch of the flag alone: the ports stay, and it answers", async () => {
      const { api } = cluster();
      await createService(api, "kept", { ...ipv4, ports: twoPorts });
      const [address = ""] = await api.waitForAddresses("kept");
      const ports = await nodePorts("kept");
      await patch("kept", { spec: { allocateLoadBalancerNodePorts: false } });
      assert.deepEqual(await nodePorts("kept"), ports);
      await answers(address);
    });

    test("off, and one port restored by a patch: that one goes straight to pods, the other by its node port; both answer", async () => {
      const { api } = cluster();
      await createService(api, "mixed", { ...ipv4, ports: twoPorts });
      const [address = ""] = await api.waitForAddresses("mixed");
      const [, second] = await nodePorts("mixed");
      await patch("mixed", { spec: { allocateLoadBalancerNodePorts: false, ports: [{ port: 80, nodePort: 0 }] } });
      assert.deepEqual(await nodePorts("mixed"), [0, second]);
      await answers(address, 80);
      await answers(address, 81);
      assert.deepEqual(await api.waitForAddresses("mixed"), [address]);
    });

    test("off, and all ports restored: all still answer", async () => {
      const { api } = cluster();
      await createService(api, "all-back", { ...ipv4, ports: twoPorts });
      const [address = ""] = await api.waitForAddresses("all-back");
      await patch("all-back", {
        spec: { allocateLoadBalancerNodePorts: false, ports: twoPorts.map(({ port }) => ({ port, nodePort: 0 })) },
      });
      assert.deepEqual(await nodePorts("all-back"), [0, 0]);
      for (const port of [80, 81]) await answers(address, port);
    });
  });

  describe("loadBalancerClass", () => {
    test("ours is served; changing or removing it is refused by the API server, and the address stays", async () => {
      const { api, lab } = cluster();
      await createService(api, "classed", { ...ipv4, loadBalancerClass: "bellhop.dev/bellhop" });
      const addresses = await api.waitForAddresses("classed");
      const path = `/api/v1/namespaces/${api.namespace}/services/classed?fieldManager=e2e&force=true`;
      for (const loadBalancerClass of ["example.com/other", undefined]) {
        const answer = await askApi(lab.apiSocket, "PATCH", path, {
          apiVersion: "v1",
          kind: "Service",
          metadata: { name: "classed" },
          spec: {
            ...ipv4,
            type: "LoadBalancer",
            selector: { app: "web" },
            ports: twoPorts,
            ...(loadBalancerClass === undefined ? {} : { loadBalancerClass }),
          },
        });
        assert.equal(answer.status, 422, answer.body);
        assert.match(answer.body, /may not change once set/);
      }
      assert.deepEqual(await api.waitForAddresses("classed"), addresses);
    });

    test("none, and one set later, is refused; set on the way from ClusterIP to LoadBalancer it counts", async () => {
      const { api } = cluster();
      await createService(api, "late", ipv4);
      await api.waitForAddresses("late");
      await assert.rejects(
        patch("late", { spec: { loadBalancerClass: "bellhop.dev/bellhop" } }),
        /may not change once set/,
      );
      await createService(api, "late", { ...ipv4, type: "ClusterIP" });
      await createService(api, "late", { ...ipv4, loadBalancerClass: "example.com/other" });
      await waitFor({ what: "our finalizer to go", timeoutMs: 10_000 }, async () =>
        (await finalizers(api, "late")).includes(finalizer) ? undefined : true,
      );
      await settle();
      const { status } = await api.get("v1", "Service", "late");
      assert.deepEqual(status.loadBalancer, {});
      assert.deepEqual(status.conditions ?? [], []);
    });
  });

  test("mixed protocols: the same number over TCP and UDP, both in the status and both answer", async () => {
    const { api } = cluster();
    await createService(api, "protocols", ipv4);
    const [host = ""] = await api.waitForAddresses("protocols");
    await answers(host);
    await assertAnswers(api, "client", { protocol: "udp", host, port: 80, question: "hostname" });
    const { status } = await api.get("v1", "Service", "protocols");
    assert.deepEqual(status.loadBalancer.ingress[0].ports, [
      { port: 80, protocol: "TCP" },
      { port: 80, protocol: "UDP" },
    ]);
  });

  test("ipMode VIP is there and stays over a change of the spec", async () => {
    const { api } = cluster();
    await createService(api, "mode", ipv4);
    await api.waitForAddresses("mode");
    const before = (await api.get("v1", "Service", "mode")).status.loadBalancer;
    assert.equal(before.ingress[0].ipMode, "VIP");
    await patch("mode", { spec: { externalTrafficPolicy: "Local" } });
    await settle();
    assert.deepEqual((await api.get("v1", "Service", "mode")).status.loadBalancer, before);
  });

  test("a port that is added appears in the status and answers", async () => {
    const { api } = cluster();
    await createService(api, "growing", { ...ipv4, ports: twoPorts.slice(0, 1) });
    const [address = ""] = await api.waitForAddresses("growing");
    await patch("growing", { spec: { ports: twoPorts } });
    await waitFor({ what: "the new port in the status", timeoutMs: 10_000 }, async () => {
      const { status } = await api.get("v1", "Service", "growing");
      return status.loadBalancer.ingress[0].ports.length === 2 ? true : undefined;
    });
    await answers(address, 81);
  });

  describe("finalizers", () => {
    test("others' are left alone when ours comes and goes, by whichever kind of patch they were put there", async () => {
      const { api } = cluster();
      await createService(api, "finalized", ipv4, "web", { finalizers: ["example.com/first"] });
      await api.waitForAddresses("finalized");
      await patch(
        "finalized",
        { metadata: { finalizers: ["example.com/second"] } },
        "strategic",
        "--subresource=status",
      );
      assert.deepEqual(
        [...(await finalizers(api, "finalized"))].sort(),
        ["example.com/first", "example.com/second", finalizer].sort(),
      );
      await api.delete("v1", "Service", "finalized");
      await waitFor({ what: "our finalizer to go", timeoutMs: 10_000 }, async () =>
        (await finalizers(api, "finalized")).includes(finalizer) ? undefined : true,
      );
      assert.deepEqual([...(await finalizers(api, "finalized"))].sort(), ["example.com/first", "example.com/second"]);
      await patch("finalized", { metadata: { finalizers: null } }, "merge");
      await waitForGone(api, "finalized");
    });

    test("ours, removed by another client, comes back while the Service has an address", async () => {
      const { api } = cluster();
      await createService(api, "stripped", ipv4);
      await api.waitForAddresses("stripped");
      await patch("stripped", { metadata: { finalizers: null } }, "merge");
      await waitFor({ what: "our finalizer", timeoutMs: 10_000 }, async () =>
        (await finalizers(api, "stripped")).includes(finalizer) ? true : undefined,
      );
    });
  });

  describe("families and policies", () => {
    const steps = [
      { to: "PreferDualStack", spec: { ipFamilyPolicy: "PreferDualStack", ipFamilies: ["IPv4", "IPv6"] }, families: 2 },
      { to: "SingleStack", spec: { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] }, families: 1 },
      {
        to: "RequireDualStack",
        spec: { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv4", "IPv6"] },
        families: 2,
      },
      {
        to: "PreferDualStack again",
        spec: { ipFamilyPolicy: "PreferDualStack", ipFamilies: ["IPv4", "IPv6"] },
        families: 2,
      },
      { to: "SingleStack again", spec: { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] }, families: 1 },
    ] as const;
    test("from one to the other and back: the first address never moves, the second comes and goes, each answers", async () => {
      const { api } = cluster();
      await createService(api, "families", ipv4);
      const [first = ""] = await api.waitForAddresses("families");
      for (const { to, spec, families } of steps) {
        await createService(api, "families", spec);
        const addresses = await waitFor({ what: `${families} addresses with ${to}`, timeoutMs: 10_000 }, async () => {
          const shown = await api.waitForAddresses("families");
          return shown.length === families ? shown : undefined;
        });
        assert.equal(addresses[0], first);
        for (const host of addresses) await answers(host);
      }
      const virtualIps = await api.list("bellhop.dev/v1beta1", "VirtualIP");
      assert.equal(virtualIps.filter((object) => holds(object, "families")).length, 1);
    });

    test("IPv6 first: the status follows the order of ipFamilies", async () => {
      const { api } = cluster();
      await createService(api, "six-first", { ipFamilies: ["IPv6"], ipFamilyPolicy: "SingleStack" });
      const [six = ""] = await api.waitForAddresses("six-first");
      await createService(api, "six-first", { ipFamilies: ["IPv6", "IPv4"], ipFamilyPolicy: "PreferDualStack" });
      const addresses = await waitFor({ what: "both families", timeoutMs: 10_000 }, async () => {
        const shown = await api.waitForAddresses("six-first");
        return shown.length === 2 ? shown : undefined;
      });
      assert.equal(addresses[0], six);
      assert.match(addresses[1] ?? "", /^172\.30\.0\./);
    });
  });

  test("to ExternalName and back: everything is released and assigned again", async () => {
    const { api } = cluster();
    await createService(api, "outward", ipv4);
    await api.waitForAddresses("outward");
    await patch(
      "outward",
      { spec: { type: "ExternalName", externalName: "example.com", ports: null, selector: null } },
      "merge",
    );
    await waitFor({ what: "our finalizer to go", timeoutMs: 10_000 }, async () =>
      (await finalizers(api, "outward")).includes(finalizer) ? undefined : true,
    );
    const virtualIps = await api.list("bellhop.dev/v1beta1", "VirtualIP");
    assert.equal(virtualIps.filter((object) => holds(object, "outward")).length, 0);
    await api.delete("v1", "Service", "outward");
    await createService(api, "outward", ipv4);
    await api.waitForAddresses("outward");
  });

  describe("while no controller runs", () => {
    test("Services that are deleted or change type keep the finalizer, and lose it and their addresses once one is back", async () => {
      const { api, lab } = cluster();
      for (const name of ["gone", "changed", "anew"]) await createService(api, name, ipv4);
      for (const name of ["gone", "changed", "anew"]) await api.waitForAddresses(name);
      const scale = (replicas: number) =>
        lab.kubectl(["-n", "bellhop-system", "scale", "deployment/bellhop-controller", `--replicas=${replicas}`]);
      await scale(0);
      try {
        await waitFor({ what: "no controller", timeoutMs: 30_000, intervalMs: 200 }, async () => {
          const selector = "app.kubernetes.io/component=controller";
          const pods = await lab.kubectl(["-n", "bellhop-system", "get", "pods", "-l", selector, "-o", "name"]);
          return pods.trim() === "" ? true : undefined;
        });
        await api.delete("v1", "Service", "gone");
        await createService(api, "changed", { ...ipv4, type: "ClusterIP" });
        await patch("anew", { metadata: { finalizers: null } }, "merge");
        await api.delete("v1", "Service", "anew");
        await createService(api, "anew", ipv4);
        assert.deepEqual(await finalizers(api, "gone"), [finalizer]);
        const changed = await api.get("v1", "Service", "changed");
        assert.deepEqual(changed.metadata.finalizers, [finalizer]);
        assert.deepEqual(changed.status.loadBalancer, {}, "the API server has emptied it");
      } finally {
        await scale(2);
      }
      await waitForGone(api, "gone", 60_000);
      await waitFor({ what: "the finalizer of the changed one to go", timeoutMs: 20_000 }, async () =>
        (await finalizers(api, "changed")).length === 0 ? true : undefined,
      );
      const [address = ""] = await api.waitForAddresses("anew");
      await expectCondition(api, "anew", "True", "AddressAssigned");
      const { uid } = (await api.get("v1", "Service", "anew")).metadata;
      const virtualIp = await api.get("bellhop.dev/v1beta1", "VirtualIP", address);
      assert.deepEqual(virtualIp.spec.services, [{ namespace: api.namespace, name: "anew", uid }]);
      await answers(address);
      const left = (await api.list("bellhop.dev/v1beta1", "VirtualIP")).filter(
        (object) => holds(object, "gone") || holds(object, "changed"),
      );
      assert.deepEqual(left, []);
    });
  });

  function holds({ spec }: ApiObject, name: string): boolean {
    const services: { namespace: string; name: string }[] = spec.services ?? [];
    return services.some((service) => service.namespace === cluster().api.namespace && service.name === name);
  }
});

async function finalizers(api: Api, name: string): Promise<readonly string[]> {
  return (await api.get("v1", "Service", name)).metadata.finalizers ?? [];
}

async function waitForGone(api: Api, name: string, timeoutMs = 10_000): Promise<void> {
  await waitFor({ what: `Service ${name} to go`, timeoutMs }, async () =>
    (await api.find("v1", "Service", name)) === undefined ? true : undefined,
  );
}
