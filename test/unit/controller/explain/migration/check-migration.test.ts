import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadMigrationInput } from "../../../../../controller/collect/load-migration.ts";
import { checkMigration } from "../../../../../controller/explain/migration/check-migration.ts";
import type { MigrationCheck } from "../../../../../controller/explain/migration/migration-check.ts";
import { parsePoolManifest } from "../../../../../controller/explain/pools/manifest.ts";
import { renderMigrationCheck } from "../../../../../src/cli/text/migration-check.ts";
import { createPalette } from "../../../../../src/cli/text/palette.ts";
import { ApiError } from "../../../../../src/kube/api-error.ts";
import type { ApiClient } from "../../../../../src/kube/client.ts";
import { ownPath } from "../../../../../src/kube/path.ts";
import { defaultNamespaceLimits } from "../../../../../src/settings/controller-settings.ts";
import type { Cluster } from "../../fake-cluster/cluster.ts";
import { useCluster } from "../../fake-cluster/use-cluster.ts";
import { clock, namespace } from "../load-and-explain.ts";
import { type MigrationCase, migrationCases, ownCollections } from "./migration-cases.ts";
import { addPoolOf, addServiceOf } from "./other-load-balancers.ts";

type Question = Partial<Pick<MigrationCase, "metallb" | "metallbClass" | "defaultClass" | "leaveClasses" | "files">> & {
  readonly client?: ApiClient;
};

async function ask(cluster: Cluster, question: Question): Promise<MigrationCheck> {
  const { metallb, metallbClass, defaultClass = true, leaveClasses = [], files, client = cluster.server } = question;
  const compatibility = metallb ? { namespace: "metallb-system", loadBalancerClass: metallbClass } : undefined;
  const manifests = files === undefined ? [] : [parsePoolManifest("new.yaml", files)];
  const limits = defaultNamespaceLimits;
  const options = { client, namespace, clock, defaultClass, leaveClasses, manifests, metallb: compatibility, limits };
  return checkMigration(await loadMigrationInput(options));
}

function describeServices({ services }: MigrationCheck): readonly string[] {
  return services.map(({ service, outcome, servedBy, now, then, reason }) =>
    [service.split("/")[1], outcome, servedBy?.name ?? "none", now.join(), "->", then.join(), reason?.code]
      .filter((part) => part !== undefined)
      .join(" "),
  );
}

/** A node with an address of its own, as Node objects name it. */
async function addNode(cluster: Cluster): Promise<void> {
  await cluster.addNode("n1", ["192.0.2.250/24"]);
  const status = {
    addresses: [{ type: "InternalIP", address: "192.0.2.11" }],
    conditions: [{ type: "Ready", status: "True" }],
  };
  const path = "/api/v1/nodes/n1/status";
  await cluster.patch(path, { status });
}

describe("bellhop migrate check", () => {
  const cluster = useCluster(addNode);

  for (const { name, objects, services, unchanged = false, ...question } of migrationCases) {
    test(name, async () => {
      await objects(cluster);
      const before = cluster.server.requests.length;
      const check = await ask(cluster, question);
      assert.deepEqual(
        cluster.server.requests.slice(before).filter(({ method }) => method !== "GET"),
        [],
        "it writes nothing",
      );
      assert.deepEqual(describeServices(check), services);
      assert.equal(check.unchanged, unchanged);
    });

    test(`${name}: and so does the controller`, async () => {
      await objects(cluster);
      const { services: changes } = await ask(cluster, question);
      if (question.files !== undefined) await addPoolOf(cluster, "Bellhop", "p", { addresses: ["192.0.2.40"] });
      await removeFromInterfaces(cluster);
      const { metallb, metallbClass, defaultClass } = question;
      await cluster.start({ metallb: metallb ?? false, metallbClass, defaultClass: defaultClass ?? true });
      await cluster.idle();
      const served = changes.filter(({ then }) => then.length > 0);
      const shown = (await cluster.services()).map(({ metadata, status }) => [
        `${metadata?.namespace}/${metadata?.name}`,
        (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip),
      ]);
      for (const { service, then } of served)
        assert.deepEqual(new Map(shown as [string, string[]][]).get(service), then);
      // Where nothing is assigned, the status stays as the other load balancer left it.
      for (const { service, now } of changes.filter(({ then }) => then.length === 0)) {
        assert.deepEqual(new Map(shown as [string, string[]][]).get(service), now);
      }
    });
  }

  test("before Bellhop is installed: its kinds do not exist, and no speaker runs", async () => {
    await addServiceOf(cluster, "ServiceLB", "web", ["192.0.2.11"]);
    const files =
      "{apiVersion: bellhop.dev/v1beta1, kind: IPAddressPool, metadata: {name: p}, spec: {addresses: [192.0.2.40]}}";
    const check = await ask(cluster, { files, client: withoutKinds(cluster, 404) });
    assert.deepEqual(describeServices(check), ["web moves ServiceLB 192.0.2.11 -> 192.0.2.40"]);
    assert.deepEqual(check.pools, [{ name: "p", from: "file", services: 1, nodes: ["n1"], interfacesKnown: false }]);
    assert.match(check.notes.join(), /No speaker runs/);
  });

  test("without speakers, L2Advertisements are compared with the labels of nodes and Services", async () => {
    await cluster.silenceNode("n1");
    await addPoolOf(cluster, "Bellhop", "lan", { addresses: ["192.0.2.40-192.0.2.49"] });
    const spec = { nodeSelectors: [{ matchLabels: { edge: "yes" } }] };
    await cluster.server.request({
      method: "POST",
      path: ownPath("l2advertisements"),
      body: { metadata: { name: "edge" }, spec },
    });
    await addServiceOf(cluster, "unknown", "web", ["192.0.2.40"]);
    const check = await ask(cluster, {});
    assert.deepEqual(describeServices(check), ["web unserved another 192.0.2.40 -> 192.0.2.40 NoAnnouncer"]);
    assert.match(check.services[0]?.reason?.message ?? "", /No L2Advertisement allows pool lan/);
  });

  test("a user who may not list DaemonSets gets an answer that says so; without Services there is none", async () => {
    const check = await ask(cluster, { client: refusing(cluster, (path) => path.includes("daemonsets"), 403) });
    assert.match(check.notes.join(), /may not list DaemonSets/);
    await assert.rejects(
      ask(cluster, { client: refusing(cluster, (path) => path.endsWith("/services"), 403) }),
      ApiError,
    );
  });

  test("a refused object of MetalLB is named with its reason", async () => {
    await addPoolOf(cluster, "MetalLB", "lan", { addresses: ["192.0.2.10-192.0.2.29"], limit: 3 });
    const check = await ask(cluster, { metallb: true });
    assert.ok(!check.unchanged);
    assert.deepEqual(
      check.rejected.map(({ code, field }) => `${code} ${field}`),
      ["MetallbFieldUnknown spec.limit"],
    );
  });

  test("of addresses that are replaced it says why", async () => {
    await addPoolOf(cluster, "Bellhop", "lan", { addresses: ["192.0.2.30-192.0.2.39"] });
    await addServiceOf(cluster, "MetalLB", "a-first", ["192.0.2.33"]);
    await addServiceOf(cluster, "MetalLB", "node", ["192.0.2.11"]);
    await addServiceOf(cluster, "MetalLB", "moves", ["192.0.2.34"], { loadBalancerIP: "192.0.2.35" });
    await addServiceOf(cluster, "MetalLB", "outside", ["198.51.100.7"]);
    await addServiceOf(cluster, "MetalLB", "second", ["192.0.2.33"]);
    const { services } = await ask(cluster, {});
    assert.deepEqual(
      services.map(({ service, lost }) => [service, ...lost]),
      [
        ["default/a-first"],
        ["default/moves"],
        ["default/node", "192.0.2.11 is the address of Node n1."],
        ["default/outside", "198.51.100.7 is not in any usable IPAddressPool."],
        ["default/second", "192.0.2.33 belongs to Service default/a-first."],
      ],
    );
  });

  test("a mistake in a file is named with its line, and nothing else counts of that pool", async () => {
    const files =
      "apiVersion: bellhop.dev/v1beta1\nkind: IPAddressPool\nmetadata: {name: p}\nspec: {addresses: [192.0.2.7/24]}\n";
    const check = await ask(cluster, { files });
    assert.ok(!check.unchanged);
    assert.deepEqual(
      check.invalid.map(({ line, reason }) => `${line} ${reason.code}`),
      ["4 PoolRangeInvalid"],
    );
    assert.deepEqual(check.pools, []);
  });

  test("after the migration nothing would change, and Bellhop serves", async () => {
    await addPoolOf(cluster, "Bellhop", "lan", { addresses: ["192.0.2.30-192.0.2.39"] });
    await addServiceOf(cluster, "kube-vip", "web", ["192.0.2.33"]);
    await cluster.start();
    await cluster.expectCondition("web", "True AddressAssigned");
    const check = await ask(cluster, {});
    assert.deepEqual(describeServices(check), ["web keeps Bellhop 192.0.2.33 -> 192.0.2.33"]);
    assert.ok(check.unchanged);
  });

  test("what Bellhop does not read, and what remains, is remarked on", async () => {
    await cluster.addNode("n2", ["192.0.2.251/24", "192.0.2.33/32"]);
    await addPoolOf(cluster, "Bellhop", "lan", { addresses: ["192.0.2.30-192.0.2.39"] });
    const annotations = {
      "kube-vip.io/loadbalancerIPs": "192.0.2.33",
      "kube-vip.io/vipHost": "n2",
      "kube-vip.io/egress": "true",
      "metallb.io/address-pool": "old",
    };
    await addServiceOf(
      cluster,
      "kube-vip",
      "web",
      ["192.0.2.33"],
      { externalIPs: ["192.0.2.39"], ports: [{ port: 80, protocol: "TCP" }], allocateLoadBalancerNodePorts: false },
      { annotations, finalizers: ["svccontroller.k3s.cattle.io/daemonset"] },
    );
    const check = await ask(cluster, {});
    assert.deepEqual(
      check.services[0]?.remarks.map(({ code, text }) => `${code} ${/[\w.-]+\/[\w-]+|[\d.]+/.exec(text)?.[0]}`),
      [
        "AnnotationNotRead kube-vip.io/egress",
        "AnnotationNotRead kube-vip.io/loadbalancerIPs",
        "AnnotationNotRead metallb.io/address-pool",
        "ExternalIPsNotAnnounced 192.0.2.39",
        "NoNodePorts .",
        "AddressOnInterface 192.0.2.33/32",
        "FinalizerRemains svccontroller.k3s.cattle.io/daemonset",
      ],
    );
    assert.match(check.notes.join(), /192\.0\.2\.39 of pool lan is in spec\.externalIPs of Service default\/web/);
    assert.ok(check.unchanged, "remarks change nothing");
  });

  test("an address in spec.externalIPs over the limit of its namespace is not said to be kept for its Service", async () => {
    await addPoolOf(cluster, "Bellhop", "lan", { addresses: ["192.0.2.30-192.0.2.39"] });
    const externalIPs = [...Array.from({ length: 15 }, (_, index) => `203.0.113.${index}`), "192.0.2.38", "192.0.2.39"];
    await addServiceOf(cluster, "cloud", "inner", [], { type: "ClusterIP", externalIPs });
    const { notes } = await ask(cluster, {});
    assert.deepEqual(
      notes.filter((note) => note.includes("externalIPs")).map((note) => note.replace(/ is in .* default\/inner,/, "")),
      [
        "192.0.2.38 of pool lan so no other Service gets it.",
        "192.0.2.39 of pool lan over the limit of its namespace, so another Service may get it (--max-external-ips-per-namespace).",
      ],
    );
  });
});

describe("the text of the check", () => {
  const cluster = useCluster(addNode);
  const plain = createPalette(false);

  test("is a table with the reason and the cure under each Service that changes", async () => {
    await addPoolOf(cluster, "MetalLB", "lan", { addresses: ["192.0.2.10-192.0.2.29"] });
    await addServiceOf(cluster, "MetalLB", "good", ["192.0.2.10"]);
    await addServiceOf(cluster, "MetalLB", "lost", ["198.51.100.1"], { loadBalancerIP: "198.51.100.1" });
    const text = renderMigrationCheck(await ask(cluster, { metallb: true }), plain);
    assert.match(text, /^SERVICE +SERVED BY +NOW +WITH BELLHOP +CHANGES$/m);
    assert.match(text, /^default\/good +MetalLB \(annotation \S+\) +192\.0\.2\.10 +192\.0\.2\.10 +nothing$/m);
    assert.match(
      text,
      /^default\/lost .* 198\.51\.100\.1 +- +loses its address\n {4}RequestedAddressNotInPool\n.*\n {4}Cure: /m,
    );
    assert.match(text, /^lan +MetalLB +1 +n1$/m);
    assert.match(text, /✗ 1 Service would change\. Nothing has been changed\.\n$/);
  });

  test("says in its last line that nothing would change", async () => {
    const text = renderMigrationCheck(await ask(cluster, {}), plain);
    assert.match(text, /✓ Nothing would change\. Nothing has been changed\.\n$/);
  });

  test("counts Services with the same remark", async () => {
    await addPoolOf(cluster, "Bellhop", "lan", { addresses: ["192.0.2.30-192.0.2.39"] });
    for (let index = 0; index < 7; index++) {
      await addServiceOf(cluster, "unknown", `s${index}`, [], { ports: [{ port: 80, protocol: "TCP" }] });
    }
    const text = renderMigrationCheck(await ask(cluster, {}), plain);
    assert.match(text, /^Each of the Services default\/s0, .*default\/s4 and 2 more has ports without node ports/m);
  });
});

/** kube-vip is stopped, and its addresses are removed from the interfaces of nodes. */
async function removeFromInterfaces(cluster: Cluster): Promise<void> {
  const { body } = await cluster.server.request({ method: "GET", path: ownPath("speakers") });
  for (const { metadata, status } of (
    body as { items: { metadata: { name: string }; status: { interfaces: { addresses: string[] }[] } }[] }
  ).items) {
    const interfaces = status.interfaces.map((link) => ({
      ...link,
      addresses: link.addresses.filter((text) => !text.endsWith("/32")),
    }));
    const path = `${ownPath("speakers", metadata.name)}/status`;
    await cluster.patch(path, { status: { interfaces } });
  }
}

function withoutKinds(cluster: Cluster, status: number): ApiClient {
  return refusing(cluster, (path) => ownCollections.some((collection) => path.startsWith(collection)), status);
}

/** The client of a user, or a cluster, to which some paths are refused. */
function refusing({ server }: Cluster, isRefused: (path: string) => boolean, status: number): ApiClient {
  return new Proxy(server, {
    get: (target, property) => {
      const method = Reflect.get(target, property) as unknown;
      if (typeof method !== "function") return method;
      return (...args: readonly [{ path?: string }]) => {
        if (isRefused(args[0]?.path ?? "")) throw new ApiError(status, "", `${args[0]?.path}: refused`);
        return (method as (...args: unknown[]) => unknown).apply(target, [...args]);
      };
    },
  });
}
