import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { waitFor } from "../lab/wait.ts";
import type { Api } from "./api.ts";
import { useCluster } from "./cluster.ts";
import { assertAnswers, waitForAnswer } from "./forwarding.ts";
import { fakeMetallb, metallbPool, removeMetallb } from "./metallb.ts";
import { expectCondition } from "./service-state.ts";
import { createService, startWeb } from "./workload.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const guide = readFileSync(new URL("../../docs/migrate-from-metallb.md", import.meta.url), "utf8");

/** The shell commands of one chapter of the guide, as they stand there. */
function commandsOf(chapter: number): readonly string[] {
  const text = guide.split(/^## /m).find((part) => part.startsWith(`${chapter}. `)) ?? "";
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands]) => commands ?? "");
}

const ipv4 = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] };
const port = (number: number) => [{ name: `p${number}`, protocol: "TCP", port: number, targetPort: 8080 }];
const pool = { "metallb.universe.tf/address-pool": metallbPool };

/** Services as MetalLB serves them: what users wrote, and what it had put into their status. */
const live = [
  { name: "plain", spec: {}, annotations: pool, addresses: ["172.30.0.163", "fd30::363"] },
  {
    name: "wish",
    spec: ipv4,
    annotations: { "metallb.io/loadBalancerIPs": "172.30.0.165" },
    addresses: ["172.30.0.165"],
  },
  {
    name: "shared-a",
    spec: { ...ipv4, ports: port(80) },
    annotations: { ...pool, "metallb.universe.tf/allow-shared-ip": "front" },
    addresses: ["172.30.0.166"],
  },
  {
    name: "shared-b",
    spec: { ...ipv4, ports: port(81) },
    annotations: { ...pool, "metallb.io/allow-shared-ip": "front" },
    addresses: ["172.30.0.166"],
  },
];

describe("from MetalLB, as docs/migrate-from-metallb.md says", () => {
  const cluster = useCluster("nftables", "migrate");

  before(async () => {
    const { api, lab } = cluster();
    await startWeb(api);
    await fakeMetallb(api);
    // Bellhop is not there yet.
    await lab.kubectl(["-n", "bellhop-system", "scale", "deployment/bellhop-controller", "--replicas=0"]);
    await waitFor({ what: "no controller", timeoutMs: 30_000, intervalMs: 200 }, async () => {
      const pods = await lab.kubectl([
        "-n",
        "bellhop-system",
        "get",
        "pods",
        "-l",
        "app.kubernetes.io/component=controller",
        "-o",
        "name",
      ]);
      return pods.trim() === "" ? true : undefined;
    });
    for (const { name, spec, annotations, addresses } of live) {
      await createService(api, name, spec, "web", { annotations });
      await showAsMetallb(api, name, addresses);
    }
  });

  after(async () => {
    const { api, lab } = cluster();
    await lab.kubectl(["apply", "-k", `${root}/deploy/base`]);
    await lab.kubectl(["delete", "-f", `${root}/deploy/migrate-metallb/rbac.yaml`, "--ignore-not-found"]);
    await removeMetallb(api);
    for (const { metadata } of await api.list("v1", "Service")) await api.delete("v1", "Service", metadata.name);
    for (const kind of ["IPAddressPool", "L2Advertisement"]) {
      if ((await api.find("bellhop.dev/v1beta1", kind, metallbPool)) !== undefined) {
        await api.delete("bellhop.dev/v1beta1", kind, metallbPool);
      }
    }
  });

  async function follow(chapter: number): Promise<void> {
    const commands = commandsOf(chapter);
    assert.ok(commands.length > 0, `chapter ${chapter} has commands`);
    for (const text of commands) {
      const script = `set -euo pipefail\ncd ${root}\n${text.replaceAll(/addresses-(before|after)\.txt/g, "/tmp/addresses-$1.txt")}`;
      const { code, stdout, stderr } = await cluster().lab.exec("control", ["bash", "-c", script], {
        timeoutMs: 200_000,
      });
      assert.equal(code, 0, `${text}\n${stdout}\n${stderr}`);
    }
  }

  async function assertUnmoved(): Promise<void> {
    const { api } = cluster();
    for (const { name, addresses } of live) {
      await expectCondition(api, name, "True", "AddressAssigned");
      assert.deepEqual(await api.waitForAddresses(name), addresses, name);
      const moves = (await api.events("Service", name)).filter(({ reason }) => reason === "UpdatedLoadBalancer");
      assert.deepEqual(moves, []);
    }
  }

  async function assertReachable(): Promise<void> {
    const { api } = cluster();
    for (const { spec, addresses } of live) {
      const wanted = "ports" in spec ? (spec.ports[0]?.port ?? 0) : 80;
      for (const host of addresses) {
        await waitForAnswer(api, host, 15_000, wanted);
        await assertAnswers(api, "client", { protocol: "tcp", host, port: wanted, question: "/hostname" });
      }
    }
  }

  test("1-3: Bellhop takes over with MetalLB's objects: every address is adopted, announced and answers", async () => {
    for (const chapter of [1, 2, 3]) await follow(chapter);
    await assertUnmoved();
    await assertReachable();
    const { api } = cluster();
    const shared = await api.get("bellhop.dev/v1beta1", "VirtualIP", "172.30.0.166");
    assert.deepEqual(shared.spec.services.map(({ name }: { name: string }) => name).sort(), ["shared-a", "shared-b"]);
    // MetalLB's L2Advertisement names two of the three nodes.
    for (const owner of shared.spec.owners) assert.ok(["n1", "n2"].includes(owner), owner);
  });

  test("new Services are served from MetalLB's pools meanwhile, and a request for a taken address is refused", async () => {
    const { api } = cluster();
    await createService(api, "new", ipv4, "web", { annotations: pool });
    assert.deepEqual(await api.waitForAddresses("new"), ["172.30.0.160"]);
    await createService(api, "greedy", ipv4, "web", { annotations: { "metallb.io/loadBalancerIPs": "172.30.0.165" } });
    const { message } = await expectCondition(api, "greedy", "False", "RequestedAddressTaken");
    assert.match(message, /metallb\.io\/loadBalancerIPs.*migrate\/wish/);
    for (const name of ["new", "greedy"]) await api.delete("v1", "Service", name);
  });

  test("4-6: MetalLB goes, its objects are ours now, and no address moves", async () => {
    await follow(4);
    await follow(5);
    await assertUnmoved();
    const { api } = cluster();
    assert.deepEqual((await api.get("bellhop.dev/v1beta1", "IPAddressPool", metallbPool)).spec.addresses, [
      "172.30.0.160-172.30.0.169",
      "fd30::360-fd30::369",
    ]);
    await follow(6);
    await assertUnmoved();
    await assertReachable();
  });

  test("7: the list of addresses is the one from before", async () => {
    await follow(7);
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

/** What MetalLB's controller would have written. */
async function showAsMetallb(api: Api, name: string, addresses: readonly string[]): Promise<void> {
  const path = `/api/v1/namespaces/${api.namespace}/services/${name}/status`;
  await api.lab.api("PATCH", `${path}?fieldManager=controller&force=true`, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    status: { loadBalancer: { ingress: addresses.map((ip) => ({ ip, ipMode: "VIP" })) } },
  });
}
