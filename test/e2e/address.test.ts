import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { askApi } from "../lab/api.ts";
import { waitFor } from "../lab/wait.ts";
import type { Api } from "./api.ts";
import { useCluster } from "./cluster.ts";
import { assertAnswers, waitForAnswer } from "./forwarding.ts";
import { createService, startWeb } from "./workload.ts";

const finalizer = "service.kubernetes.io/load-balancer-cleanup";
const ipv4Only = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] };

describe("addresses: which Service gets which, and which one is refused and why", () => {
  const cluster = useCluster("nftables", "address");
  let goodAddress = "";

  before(async () => {
    const { api } = cluster();
    await startWeb(api);
    await createService(api, "good", ipv4Only);
    goodAddress = (await api.waitForAddresses("good"))[0] ?? "";
    await waitForAnswer(api, goodAddress);
  });

  test("status lists every family in order, with ipMode VIP and every port", async () => {
    const { api } = cluster();
    await createService(api, "dual", { ipFamilies: ["IPv6", "IPv4"] });
    await api.waitForAddresses("dual");
    const { status } = await api.get("v1", "Service", "dual");
    const ports = [
      { port: 80, protocol: "TCP" },
      { port: 80, protocol: "UDP" },
    ];
    const [first, second] = status.loadBalancer.ingress;
    assert.match(first.ip, /^fd30::2/);
    assert.match(second.ip, /^172\.30\.0\.2/);
    for (const entry of [first, second]) {
      assert.equal(entry.ipMode, "VIP");
      assert.deepEqual(entry.ports, ports);
    }
    const condition = status.conditions.find((entry: { type: string }) => entry.type === "bellhop.dev/AddressReady");
    assert.equal(condition.status, "True");
  });

  test("a requested address is given", async () => {
    const { api } = cluster();
    await createService(api, "wish", { ...ipv4Only, loadBalancerIP: "172.30.0.245" });
    assert.deepEqual(await api.waitForAddresses("wish"), ["172.30.0.245"]);
  });

  const refusals = [
    { name: "garbage", loadBalancerIP: () => "one.two.three", says: /one\.two\.three/ },
    { name: "other-family", loadBalancerIP: () => "fd30::210", says: /fd30::210/ },
    { name: "out-of-pool", loadBalancerIP: () => "192.0.2.7", says: /192\.0\.2\.7/ },
    { name: "taken", loadBalancerIP: () => goodAddress, says: /address\/good/ },
  ];
  for (const { name, loadBalancerIP, says } of refusals) {
    test(`loadBalancerIP ${name}: an event says why, no other address is given, others are unharmed, and a cure helps`, async () => {
      const { api } = cluster();
      await createService(api, name, { ...ipv4Only, loadBalancerIP: loadBalancerIP() });
      const warning = await waitFor({ what: `a warning about Service ${name}`, timeoutMs: 10_000 }, async () =>
        (await api.events("Service", name)).find((event) => event.type === "Warning"),
      );
      assert.match(warning.note, says);
      const condition = await waitFor({ what: `a condition on Service ${name}`, timeoutMs: 5_000 }, () =>
        addressReady(api, name),
      );
      assert.equal(condition.status, "False");
      assert.match(condition.message, says);
      assert.deepEqual((await api.get("v1", "Service", name)).status.loadBalancer.ingress ?? [], []);
      await assertAnswers(api, "client", { protocol: "tcp", host: goodAddress, port: 80, question: "/hostname" });

      await createService(api, name, ipv4Only);
      assert.equal((await api.waitForAddresses(name)).length, 1);
      assert.equal((await addressReady(api, name))?.status, "True");
    });
  }

  test("a Service of a foreign class is not touched: neither status nor conditions nor finalizers", async () => {
    const { api, lab } = cluster();
    await createService(api, "foreign", { ...ipv4Only, loadBalancerClass: "example.com/internal-vip" });
    const path = `/api/v1/namespaces/${api.namespace}/services/foreign/status`;
    const now = new Date().toISOString().replace(/\.\d+Z/, "Z");
    await lab.api("PATCH", `${path}?fieldManager=other&force=true`, {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "foreign" },
      status: {
        loadBalancer: { ingress: [{ ip: "203.0.113.1" }] },
        conditions: [
          { type: "example.com/Ready", status: "True", reason: "Told", message: "so", lastTransitionTime: now },
        ],
      },
    });
    const before = await api.get("v1", "Service", "foreign");
    await createService(api, "after-foreign", ipv4Only);
    await api.waitForAddresses("after-foreign");
    await sleep(2_000);
    assert.deepEqual(await api.get("v1", "Service", "foreign"), before);
    assert.deepEqual(await api.events("Service", "foreign"), []);
  });

  test("LoadBalancer → ClusterIP → LoadBalancer: the address and the finalizer are released, then both come back", async () => {
    const { api } = cluster();
    await createService(api, "changing", ipv4Only);
    const [address = ""] = await api.waitForAddresses("changing");
    await waitForAnswer(api, address);
    await assertAnswers(api, "client", { protocol: "tcp", host: address, port: 80, question: "/hostname" });
    assert.deepEqual((await api.get("v1", "Service", "changing")).metadata.finalizers, [finalizer]);

    await createService(api, "changing", { ...ipv4Only, type: "ClusterIP" });
    await waitFor({ what: "the finalizer to go", timeoutMs: 10_000 }, async () => {
      const { metadata } = await api.get("v1", "Service", "changing");
      return (metadata.finalizers ?? []).length === 0 && (await virtualIp(api, address)) === undefined;
    });

    await createService(api, "changing", ipv4Only);
    const [again = ""] = await api.waitForAddresses("changing");
    await waitForAnswer(api, again);
    await assertAnswers(api, "client", { protocol: "tcp", host: again, port: 80, question: "/hostname" });
    assert.deepEqual((await api.get("v1", "Service", "changing")).metadata.finalizers, [finalizer]);
  });

  test("a deleted Service leaves nothing: address free, VirtualIP gone, no node answers", async () => {
    const { api, lab } = cluster();
    await createService(api, "leaving", ipv4Only);
    const [address = ""] = await api.waitForAddresses("leaving");
    await api.delete("v1", "Service", "leaving");
    await waitFor({ what: "the Service and its VirtualIP to go", timeoutMs: 10_000 }, async () => {
      return (
        (await api.find("v1", "Service", "leaving")) === undefined && (await virtualIp(api, address)) === undefined
      );
    });
    await waitFor({ what: `nobody to answer for ${address}`, timeoutMs: 10_000 }, async () => {
      await lab.exec("client", ["ip", "neighbour", "flush", address]);
      await lab.exec("client", ["ping", "-c", "1", "-W", "1", address]);
      const { stdout } = await lab.exec("client", ["ip", "neighbour", "show", address]);
      return /FAILED|INCOMPLETE/.test(stdout) || stdout.trim() === "";
    });
  });

  test("what the API server can see of a bad pool, it refuses itself, naming the value and the cure", async () => {
    const { lab } = cluster();
    for (const [address, says] of [
      ["172.30.0.300", "is neither an address, a CIDR nor a range"],
      ["172.30.0.17/24", "has host bits set"],
      ["172.30.0.1-fd30::1", "mixes IPv4 and IPv6"],
    ] as const) {
      const answer = await askApi(lab.apiSocket, "POST", "/apis/bellhop.dev/v1beta1/ipaddresspools", {
        apiVersion: "bellhop.dev/v1beta1",
        kind: "IPAddressPool",
        metadata: { name: "bad" },
        spec: { addresses: [address] },
      });
      assert.equal(answer.status, 422, answer.body);
      assert.ok(answer.body.includes(`'${address}' ${says}`), answer.body);
    }
  });
});

function virtualIp(api: Api, address: string) {
  return api.find("bellhop.dev/v1beta1", "VirtualIP", address);
}

async function addressReady(
  api: Api,
  name: string,
): Promise<{ status: string; reason: string; message: string } | undefined> {
  const { status } = await api.get("v1", "Service", name);
  return status?.conditions?.find((entry: { type: string }) => entry.type === "bellhop.dev/AddressReady");
}
