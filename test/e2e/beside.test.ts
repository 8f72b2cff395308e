import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { projectService } from "../../src/model/service.ts";
import { waitFor } from "../lab/wait.ts";
import type { Api } from "./api.ts";
import { useCluster } from "./cluster.ts";
import { expectCondition, expectWarnings } from "./service-state.ts";

const finalizer = "service.kubernetes.io/load-balancer-cleanup";
const theirs = "172.30.0.11";
const spec = {
  type: "LoadBalancer",
  ipFamilyPolicy: "SingleStack",
  ipFamilies: ["IPv4"],
  ports: [{ port: 80, protocol: "TCP" }],
};

describe("beside another load balancer", () => {
  const cluster = useCluster("nftables", "beside");

  function service(
    name: string,
    more: Record<string, unknown>,
    metadata: Record<string, unknown> = {},
  ): Promise<unknown> {
    const manifest = { apiVersion: "v1", kind: "Service", metadata: { name, ...metadata }, spec: { ...spec, ...more } };
    return cluster().api.apply(manifest);
  }

  test("a Service that it serves keeps its status and its finalizer, also when it is deleted", async () => {
    const { api } = cluster();
    const request = { loadBalancerIP: "203.0.113.99" };
    await service("theirs", request);
    await expectCondition(api, "theirs", "False", "RequestedAddressNotInPool");
    await service("theirs", request, { finalizers: [finalizer] });
    await writeStatus(api, "theirs");
    await service("theirs", { loadBalancerIP: "203.0.113.98" }, { finalizers: [finalizer] });
    await waitFor({ what: "the condition of the new request", timeoutMs: 15_000 }, async () => {
      const { status } = await api.get("v1", "Service", "theirs");
      return JSON.stringify(status.conditions).includes("203.0.113.98") ? true : undefined;
    });
    assert.deepEqual(await shown(api, "theirs"), [theirs]);
    await api.delete("v1", "Service", "theirs");
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const left = await api.get("v1", "Service", "theirs");
    assert.deepEqual(left.metadata.finalizers, [finalizer]);
    await service("theirs", request, { finalizers: [] });
    await waitFor({ what: "the Service to go", timeoutMs: 10_000 }, async () =>
      (await api.find("v1", "Service", "theirs")) === undefined ? true : undefined,
    );
  });

  test("an address of a pool that it put on an interface of a node stays with its Service until it is gone from there", async () => {
    const { api, lab } = cluster();
    const address = "172.30.0.245";
    const onInterface = (verb: "add" | "del") => lab.exec("n1", ["ip", "addr", verb, `${address}/32`, "dev", "eth0"]);
    await onInterface("add");
    try {
      await waitFor({ what: "the speaker to report the address", timeoutMs: 30_000 }, async () => {
        const { status } = await api.get("bellhop.dev/v1beta1", "Speaker", "n1");
        return JSON.stringify(status.interfaces).includes(`"${address}/32"`) ? true : undefined;
      });
      // It requests what no pool has, so that Bellhop assigns nothing before the other load balancer does.
      await service("on-interface", { loadBalancerIP: "203.0.113.99" });
      await expectCondition(api, "on-interface", "False", "RequestedAddressNotInPool");
      await writeStatus(api, "on-interface", address);
      await service("on-interface", {});
      await expectCondition(api, "on-interface", "False", "ShownAddressTaken");
      assert.deepEqual(await shown(api, "on-interface"), [address]);
    } finally {
      await onInterface("del");
    }
    await expectCondition(api, "on-interface", "True", "AddressAssigned");
    assert.deepEqual(await shown(api, "on-interface"), [address]);
    await onInterface("add");
    try {
      await waitFor({ what: "the warning on the Service", timeoutMs: 30_000 }, async () => {
        const warnings = await expectWarnings(api, "on-interface");
        return warnings.some(({ reason }) => reason === "AddressUsedElsewhere") ? true : undefined;
      });
      assert.deepEqual(await shown(api, "on-interface"), [address]);
    } finally {
      await onInterface("del");
    }
    await api.delete("v1", "Service", "on-interface");
  });

  test("a second writer of the status is named", async () => {
    const { api } = cluster();
    await service("both", {});
    await api.waitForAddresses("both");
    for (let round = 0; round < 3; round++) {
      await writeStatus(api, "both");
      await waitFor({ what: "our address to be back", timeoutMs: 15_000 }, async () =>
        (await shown(api, "both"))[0] === theirs ? undefined : true,
      );
    }
    const condition = await expectCondition(api, "both", "False", "StatusOverwritten");
    assert.match(condition.message, /e2e-servicelb/);
    const warnings = await expectWarnings(api, "both");
    assert.ok(warnings.some(({ reason }) => reason === "StatusOverwritten"));
  });

  test("the API server records that the controller added the finalizer", async () => {
    const { api } = cluster();
    await service("recorded", {});
    await api.waitForAddresses("recorded");
    const raw: object = await api.get("v1", "Service", "recorded");
    assert.equal(projectService(raw).addedFinalizer, true);
    await service("foreign", { loadBalancerIP: "203.0.113.97" }, { finalizers: [finalizer] });
    await expectCondition(api, "foreign", "False", "RequestedAddressNotInPool");
    const foreign: object = await api.get("v1", "Service", "foreign");
    assert.equal(projectService(foreign).addedFinalizer, false);
    await service("foreign", { loadBalancerIP: "203.0.113.97" }, { finalizers: [] });
  });

  test("two Services exchange their addresses", async () => {
    const { api } = cluster();
    await service("blue", { loadBalancerIP: "172.30.0.241" });
    await service("green", { loadBalancerIP: "172.30.0.242" });
    assert.deepEqual(await api.waitForAddresses("blue"), ["172.30.0.241"]);
    assert.deepEqual(await api.waitForAddresses("green"), ["172.30.0.242"]);
    await service("blue", { loadBalancerIP: "172.30.0.242" });
    await service("green", { loadBalancerIP: "172.30.0.241" });
    await waitFor({ what: "the exchange", timeoutMs: 20_000 }, async () => {
      const [blue] = await shown(api, "blue");
      const [green] = await shown(api, "green");
      assert.ok(blue === undefined || blue !== green, `both show ${blue}`);
      return blue === "172.30.0.242" && green === "172.30.0.241" ? true : undefined;
    });
  });

  test("the API server refuses a VirtualIP with the name of another address", async () => {
    const { api } = cluster();
    const claim = (name: string, address: string) =>
      api.apply({ apiVersion: "bellhop.dev/v1beta1", kind: "VirtualIP", metadata: { name }, spec: { address } });
    await assert.rejects(claim("2001-db8--70", "2001:db8::7"), /does not match 2001:db8::7/);
    for (const [name, address] of [
      ["2001-db8--7", "2001:db8::7"],
      ["2001-db8--0", "2001:db8::"],
      ["0--7", "::7"],
    ] as const) {
      await claim(name, address);
      await api.delete("bellhop.dev/v1beta1", "VirtualIP", name);
    }
  });

  test("a Service that was restored with another uid keeps its address", async () => {
    const { api, lab } = cluster();
    await service("restored", {});
    const addresses = await api.waitForAddresses("restored");
    const scale = (replicas: number) =>
      lab.kubectl(["-n", "bellhop-system", "scale", "deployment/bellhop-controller", `--replicas=${replicas}`]);
    const before = (await api.get("v1", "Service", "restored")).metadata.uid;
    await scale(0);
    await lab.kubectl(
      [
        "-n",
        "bellhop-system",
        "wait",
        "--for=delete",
        "pod",
        "-l",
        "app.kubernetes.io/component=controller",
        "--timeout=60s",
      ],
      undefined,
      70_000,
    );
    try {
      await api.delete("v1", "Service", "restored");
      await lab.kubectl([
        "-n",
        api.namespace,
        "patch",
        "service",
        "restored",
        "--type=merge",
        "-p",
        '{"metadata":{"finalizers":null}}',
      ]);
      // The old claim passes on to it.
      await service("restored", {});
    } finally {
      await scale(2);
    }
    assert.deepEqual(await api.waitForAddresses("restored", 60_000), addresses);
    const after = (await api.get("v1", "Service", "restored")).metadata.uid;
    assert.notEqual(after, before);
    const { spec } = await api.get("bellhop.dev/v1beta1", "VirtualIP", addresses[0] ?? "");
    assert.equal(spec.services[0].uid, after);
  });
});

/** As ServiceLB does: its own addresses, by its own field manager. */
async function writeStatus(api: Api, name: string, ip = theirs): Promise<void> {
  const path = `/api/v1/namespaces/${api.namespace}/services/${name}/status?fieldManager=e2e-servicelb&force=true`;
  const status = { loadBalancer: { ingress: [{ ip, ipMode: "VIP" }] } };
  await api.lab.api("PATCH", path, { apiVersion: "v1", kind: "Service", metadata: { name }, status });
}

async function shown(api: Api, name: string): Promise<readonly string[]> {
  const { status } = await api.get("v1", "Service", name);
  return (status?.loadBalancer?.ingress ?? []).map(({ ip }: { ip: string }) => ip);
}
