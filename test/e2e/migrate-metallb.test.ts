import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { useCluster } from "./cluster.ts";
import { assertAnswers, waitForAnswer } from "./forwarding.ts";
import { changesOf, useGuide } from "./guide.ts";
import { exposed, fakeMetallb, labelledPool, metallbClass, metallbPool, removeMetallb } from "./metallb.ts";
import { createLive, type LiveService, migrationCluster, removeProduct } from "./other-load-balancer.ts";
import { expectCondition } from "./service-state.ts";
import { createService, startWeb } from "./workload.ts";

const ipv4 = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] };
const port = (number: number) => [{ name: `p${number}`, protocol: "TCP", port: number, targetPort: 8080 }];
const pool = { "metallb.universe.tf/address-pool": metallbPool };
const allocated = { "metallb.io/ip-allocated-from-pool": metallbPool };
const other = "migrate-other";

/** Services as MetalLB serves them. */
const live: readonly (LiveService & { readonly port?: number })[] = [
  { name: "plain", annotations: { ...allocated, ...pool }, addresses: ["172.30.0.163", "fd30::363"] },
  {
    name: "requested",
    spec: ipv4,
    annotations: { ...allocated, "metallb.io/loadBalancerIPs": "172.30.0.165" },
    addresses: ["172.30.0.165"],
  },
  {
    name: "shared-a",
    spec: { ...ipv4, ports: port(80) },
    annotations: { ...allocated, ...pool, "metallb.universe.tf/allow-shared-ip": "front" },
    addresses: ["172.30.0.166"],
  },
  {
    name: "shared-b",
    spec: { ...ipv4, ports: port(81) },
    annotations: { ...allocated, ...pool, "metallb.io/allow-shared-ip": "front" },
    addresses: ["172.30.0.166"],
    port: 81,
  },
  {
    name: "shared-c",
    namespace: other,
    spec: { ...ipv4, ports: port(83) },
    annotations: { ...allocated, ...pool, "metallb.io/allow-shared-ip": "front" },
    addresses: ["172.30.0.166"],
    port: 83,
  },
  {
    name: "classed",
    spec: { ...ipv4, loadBalancerClass: metallbClass },
    annotations: { ...allocated, ...pool },
    addresses: ["172.30.0.167"],
  },
  {
    name: "blank",
    spec: ipv4,
    annotations: { ...allocated, ...pool, "metallb.io/loadBalancerIPs": "", "metallb.io/allow-shared-ip": "" },
    addresses: ["172.30.0.168"],
  },
  {
    name: "external",
    spec: { ...ipv4, externalIPs: ["172.30.0.169", "203.0.113.7"] },
    annotations: { ...allocated, ...pool },
    addresses: ["172.30.0.169"],
  },
  {
    name: "labelled",
    spec: ipv4,
    labels: exposed,
    annotations: { "metallb.io/ip-allocated-from-pool": labelledPool, "metallb.io/address-pool": labelledPool },
    addresses: ["172.30.0.173"],
  },
];

describe("from MetalLB, as docs/migrate-from-metallb.md says", () => {
  const cluster = useCluster("nftables", "migrate", migrationCluster);
  const page = useGuide("migrate-from-metallb.md", cluster);

  before(async () => {
    const { api } = cluster();
    await removeProduct(api);
    await api.inNamespace(other).createNamespace();
    await startWeb(api);
    await startWeb(api.inNamespace(other));
    await fakeMetallb(api);
    for (const service of live) await createLive(api, service, "controller");
    // Kept out of the pool, because another Service has it there.
    await createService(api, "inner", { type: "ClusterIP", externalIPs: ["172.30.0.160"] });
  });

  after(async () => {
    const { api } = cluster();
    await removeMetallb(api);
    await api.inNamespace(other).deleteNamespace();
    for (const { metadata } of await api.list("v1", "Service")) await api.delete("v1", "Service", metadata.name);
    for (const kind of ["IPAddressPool", "L2Advertisement"]) {
      for (const name of [metallbPool, labelledPool]) {
        if ((await api.find("bellhop.dev/v1beta1", kind, name)) !== undefined) {
          await api.delete("bellhop.dev/v1beta1", kind, name);
        }
      }
    }
  });

  /** `moved`: the Services that were created again. */
  async function assertUnmoved(): Promise<void> {
    for (const { name, namespace = "migrate", addresses } of live) {
      const api = cluster().api.inNamespace(namespace);
      await expectCondition(api, name, "True", "AddressAssigned");
      assert.deepEqual(await api.waitForAddresses(name), addresses, name);
      const moves = (await api.events("Service", name)).filter(({ reason }) => reason === "UpdatedLoadBalancer");
      assert.deepEqual(moves, []);
    }
  }

  async function assertReachable(): Promise<void> {
    const { api } = cluster();
    for (const { addresses, port: wanted = 80 } of live) {
      for (const host of addresses) {
        await waitForAnswer(api, host, 15_000, wanted);
        await assertAnswers(api, "client", { protocol: "tcp", host, port: wanted, question: "/hostname" });
      }
    }
  }

  test("1: before anything is installed, the check says that only the Service with MetalLB's class would change", async () => {
    const [block = ""] = page().blocksOf("1. ");
    const check = await page().check(block);
    assert.deepEqual(changesOf(check), ["migrate/classed unserved ForeignClass"]);
    assert.ok(check.services.every(({ servedBy }) => servedBy?.name === "MetalLB"));
    assert.deepEqual(
      check.pools.map(({ name, from, nodes }) => [name, from, nodes.join()]),
      [
        ["labelled", "MetalLB", "n1,n2,n3"],
        ["metal", "MetalLB", "n1,n2"],
      ],
    );
    assert.match(
      check.notes.join("\n"),
      /172\.30\.0\.160 of pool metal is in spec\.externalIPs of Service migrate\/inner/,
    );
    const [withClass = ""] = page().blocksOf("Services with MetalLB's class");
    assert.deepEqual(changesOf(await page().check(withClass)), []);
  });

  test("2-4: Bellhop takes over with MetalLB's objects: every address is adopted, announced and answers", async () => {
    for (const chapter of ["2. ", "3. ", "4. "]) await page().follow(chapter);
    await page().assertUserImage();
    await assertUnmoved();
    await assertReachable();
    const { api } = cluster();
    const shared = await api.get("bellhop.dev/v1beta1", "VirtualIP", "172.30.0.166");
    assert.deepEqual(shared.spec.services.map(({ name }: { name: string }) => name).sort(), [
      "shared-a",
      "shared-b",
      "shared-c",
    ]);
    // MetalLB's L2Advertisement names two of the three nodes, and prefers one.
    assert.deepEqual([...shared.spec.owners].sort(), ["n1", "n2"]);
    assert.equal(shared.spec.owners[0], "n2");
  });

  test("new Services are served from MetalLB's pools meanwhile, and a request for a taken address is refused", async () => {
    const { api } = cluster();
    await createService(api, "new", ipv4, "web", { annotations: pool });
    assert.deepEqual(await api.waitForAddresses("new"), ["172.30.0.161"]);
    await createService(api, "greedy", ipv4, "web", { annotations: { "metallb.io/loadBalancerIPs": "172.30.0.165" } });
    const { message } = await expectCondition(api, "greedy", "False", "RequestedAddressTaken");
    assert.match(message, /metallb\.io\/loadBalancerIPs.*migrate\/requested/);
    await createService(api, "unseen", ipv4, "web", { annotations: { "metallb.io/address-pool": labelledPool } });
    await expectCondition(api, "unseen", "False", "NoAnnouncer");
    for (const name of ["new", "greedy", "unseen"]) await api.delete("v1", "Service", name);
  });

  test("going back leaves every Service with its address, and nothing of Bellhop on it or on the nodes", async () => {
    await page().follow("Going back");
    const { api, lab } = cluster();
    for (const { name, namespace = "migrate", addresses } of live) {
      const { metadata, status } = await api.inNamespace(namespace).get("v1", "Service", name);
      const shown = status.loadBalancer.ingress.map(({ ip }: { ip: string }) => ip);
      assert.deepEqual([shown, metadata.finalizers ?? [], status.conditions ?? []], [addresses, [], []], name);
    }
    for (const node of lab.nodes) {
      const { stdout } = await lab.exec(node, ["nft", "list", "tables"]);
      assert.doesNotMatch(stdout, /bellhop/, node);
    }
    // And forward again.
    for (const chapter of ["3. ", "4. "]) await page().follow(chapter);
    await assertUnmoved();
    await assertReachable();
  });

  test("5-7: MetalLB goes, its objects are ours now, and no address moves", async () => {
    await page().follow("5. ");
    await page().follow("6. ");
    await assertUnmoved();
    const { api } = cluster();
    const { spec } = await api.get("bellhop.dev/v1beta1", "IPAddressPool", metallbPool);
    assert.deepEqual(spec.addresses, ["172.30.0.160-172.30.0.169", "fd30::360-fd30::369"]);
    assert.equal(spec.sharing.acrossNamespaces, true);
    assert.equal((await api.get("v1", "Service", "classed")).spec.loadBalancerClass, "bellhop.dev/bellhop");
    await page().follow("7. ");
    await page().assertUserImage();
    await assertUnmoved();
    await assertReachable();
  });

  test("8: the list of addresses is the one from before, and nothing would change", async () => {
    await page().follow("8. ");
  });

  test("Bellhop alone continues as it began: the copied pool assigns, the copied key shares", async () => {
    const { api } = cluster();
    await createService(api, "later", { ...ipv4, ports: port(82) }, "web", {
      annotations: { "bellhop.dev/pool": metallbPool, "bellhop.dev/share": "front" },
    });
    assert.deepEqual(await api.waitForAddresses("later"), ["172.30.0.166"]);
    await waitForAnswer(api, "172.30.0.166", 15_000, 82);
    await assertAnswers(api, "client", { protocol: "tcp", host: "172.30.0.166", port: 82, question: "/hostname" });
  });
});
