import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { useCluster } from "./cluster.ts";
import { assertAnswers, waitForAnswer } from "./forwarding.ts";
import { changesOf, useGuide } from "./guide.ts";
import { createLive, type LiveService, migrationCluster, removeProduct } from "./other-load-balancer.ts";
import { expectCondition } from "./service-state.ts";
import { agnhostImage, createService, startWeb } from "./workload.ts";

const finalizers = ["service.kubernetes.io/load-balancer-cleanup"];
const labels = { implementation: "kube-vip" };
const ipv4 = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] };
const port = (number: number) => [{ name: `p${number}`, protocol: "TCP", port: number, targetPort: 8080 }];
const other = "migrate-kube-vip-other";
/** The address of the control plane, which stays with kube-vip. */
const controlPlane = "172.30.0.195/32";

/** What the cloud provider and kube-vip write for these addresses. */
function ofKubeVip(addresses: readonly string[], spec: Record<string, unknown> = {}) {
  return {
    spec: { ...spec, loadBalancerIP: addresses[0] },
    annotations: { "kube-vip.io/loadbalancerIPs": addresses.join(), "kube-vip.io/vipHost": "n1" },
    labels,
    finalizers,
    addresses,
  };
}

const live: readonly (LiveService & { readonly port?: number })[] = [
  { name: "plain", ...ofKubeVip(["172.30.0.181", "fd30::381"]) },
  { name: "shared-a", ...ofKubeVip(["172.30.0.182"], { ...ipv4, ports: port(80) }) },
  { name: "shared-b", ...ofKubeVip(["172.30.0.182"], { ...ipv4, ports: port(81) }), port: 81 },
  { name: "own-range", namespace: other, ...ofKubeVip(["172.30.0.189"], ipv4) },
];
const addresses = [...new Set(live.flatMap((service) => service.addresses))];

describe("from kube-vip, as docs/migrate-from-kube-vip.md says", () => {
  const cluster = useCluster("nftables", "migrate-kube-vip", migrationCluster);
  const page = useGuide("migrate-from-kube-vip.md", cluster);

  before(async () => {
    const { api, lab } = cluster();
    await removeProduct(api);
    await api.inNamespace(other).createNamespace();
    await startWeb(api);
    await startWeb(api.inNamespace(other));
    const data = {
      "range-global": "172.30.0.180-172.30.0.184,fd30::380-fd30::384",
      [`cidr-${other}`]: "172.30.0.188/30",
      "allow-share-global": "true",
    };
    await kubeSystem({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "kubevip" }, data });
    await kubeSystem(workload("Deployment", "kube-vip-cloud-provider", []));
    const env = [
      { name: "cp_enable", value: "true" },
      { name: "svc_enable", value: "true" },
    ];
    await kubeSystem(workload("DaemonSet", "kube-vip-ds", env));
    for (const service of live) await createLive(api, service, "kube-vip");
    for (const address of addresses) await addressOn("n1", "add", address);
    await lab.exec("n2", ["ip", "address", "add", controlPlane, "dev", "eth0"]);
  });

  after(async () => {
    const { api, lab } = cluster();
    await lab.exec("n2", ["ip", "address", "delete", controlPlane, "dev", "eth0"]);
    for (const address of addresses) await addressOn("n1", "delete", address);
    const names = ["deployment/kube-vip-cloud-provider", "daemonset/kube-vip-ds", "configmap/kubevip"];
    await lab.kubectl(["-n", "kube-system", "delete", ...names, "--ignore-not-found"]);
    await api.inNamespace(other).deleteNamespace();
    for (const { metadata } of await api.list("v1", "Service")) await api.delete("v1", "Service", metadata.name);
    const pools = ["kube-vip-range-global", `kube-vip-cidr-${other}`];
    await lab.kubectl(["delete", "ipaddresspools.bellhop.dev", ...pools, "--ignore-not-found"]);
  });

  async function kubeSystem(object: object): Promise<void> {
    const { lab } = cluster();
    await lab.kubectl(["-n", "kube-system", "apply", "--server-side", "-f", "-"], JSON.stringify(object));
  }

  function workload(kind: "Deployment" | "DaemonSet", name: string, env: readonly object[]) {
    const containers = [{ name, image: agnhostImage, imagePullPolicy: "IfNotPresent", args: ["pause"], env }];
    return {
      apiVersion: "apps/v1",
      kind,
      metadata: { name },
      spec: {
        selector: { matchLabels: { app: name } },
        template: { metadata: { labels: { app: name } }, spec: { terminationGracePeriodSeconds: 0, containers } },
      },
    };
  }

  /** As kube-vip puts the address of a Service on the interface of the node that leads. */
  async function addressOn(node: string, verb: "add" | "delete", address: string): Promise<void> {
    const text = `${address}/${address.includes(":") ? 128 : 32}`;
    const flags = verb === "add" && address.includes(":") ? ["nodad"] : [];
    await cluster().lab.exec(node, ["ip", "address", verb, text, "dev", "eth0", ...flags]);
  }

  async function assertReachable(): Promise<void> {
    const { api } = cluster();
    for (const { addresses: hosts, port: wanted = 80 } of live) {
      for (const host of hosts) {
        await waitForAnswer(api, host, 15_000, wanted);
        await assertAnswers(api, "client", { protocol: "tcp", host, port: wanted, question: "/hostname" });
      }
    }
  }

  test("1: before anything is installed, the check knows kube-vip, and only Services that share would change", async () => {
    const [pools = "", block = ""] = page().blocksOf("1. ");
    await page().succeed(pools);
    const check = await page().check(block);
    assert.deepEqual(changesOf(check), ["migrate-kube-vip/shared-b loses RequestedAddressTaken"]);
    assert.ok(check.services.every(({ servedBy }) => servedBy?.name === "kube-vip"));
    assert.deepEqual(
      check.pools.map(({ name, from }) => `${name} ${from}`),
      [`kube-vip-cidr-${other} file`, "kube-vip-range-global file"],
    );
  });

  test("2-4: Bellhop without a pool changes nothing; with the requests copied, nothing would change", async () => {
    for (const chapter of ["2. ", "3. "]) await page().follow(chapter);
    await page().assertUserImage();
    const blocks = page().blocksOf("4. ");
    for (const block of blocks.slice(0, -1)) await page().succeed(block);
    const check = await page().check(blocks.at(-1) ?? "");
    assert.deepEqual(changesOf(check), []);
    const remarks = check.services
      .flatMap((service) => service.remarks)
      .filter(({ code }) => code === "AddressOnInterface");
    assert.equal(remarks.length, 5, "each address of each Service is on an interface");
    assert.match(remarks[0]?.text ?? "", /on interface eth0 of Node n1/);
    await assertReachable();
  });

  test("5-7: kube-vip stops, its addresses leave the nodes, and Bellhop adopts every one", async () => {
    await page().follow("5. ");
    await page().follow("6. ");
    const [onNode = ""] = page().blocksOf("7. ", "sh on each node");
    for (const node of cluster().lab.nodes) {
      for (const address of addresses) await page().succeed(onNode.replace("192.0.2.33", address), node);
    }
    await page().follow("7. ");
    for (const { name, namespace = "migrate-kube-vip", addresses: kept } of live) {
      const api = cluster().api.inNamespace(namespace);
      await expectCondition(api, name, "True", "AddressAssigned");
      assert.deepEqual(await api.waitForAddresses(name), kept);
      const moves = (await api.events("Service", name)).filter(({ reason }) => reason === "UpdatedLoadBalancer");
      assert.deepEqual(moves, []);
    }
    await assertReachable();
  });

  test("8-9: the list of addresses is the one from before, nothing would change, and the control plane keeps its address", async () => {
    await page().follow("8. ");
    await page().follow("9. ");
    await page().assertUserImage();
    const { stdout } = await cluster().lab.exec("n2", ["ip", "-oneline", "address", "show", "dev", "eth0"]);
    assert.ok(stdout.includes(controlPlane), stdout);
    const env = await cluster().lab.kubectl([
      "-n",
      "kube-system",
      "get",
      "daemonset/kube-vip-ds",
      "-o",
      "jsonpath={.spec.template.spec.containers[0].env}",
    ]);
    assert.deepEqual(JSON.parse(env), [
      { name: "cp_enable", value: "true" },
      { name: "svc_enable", value: "false" },
    ]);
  });

  test("Bellhop alone continues: the pools assign, and the pool of a namespace comes first there", async () => {
    const { api } = cluster();
    await createService(api, "later", ipv4);
    assert.deepEqual(await api.waitForAddresses("later"), ["172.30.0.180"]);
    const there = api.inNamespace(other);
    await createService(there, "later", ipv4);
    const [address = ""] = await there.waitForAddresses("later");
    assert.match(address, /^172\.30\.0\.1(88|90|91)$/);
  });
});
