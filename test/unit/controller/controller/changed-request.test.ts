import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

const both = { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" };

describe("families that come and go", () => {
  const pools = [
    {
      words: "one mixed pool",
      add: () => cluster.addPool("lan", ["192.0.2.10-192.0.2.20", "2001:db8::10-2001:db8::20"]),
    },
    {
      words: "a pool for each family",
      add: async () => {
        await cluster.addPool("four", ["192.0.2.10-192.0.2.20"]);
        await cluster.addPool("six", ["2001:db8::10-2001:db8::20"]);
      },
    },
  ];
  for (const { words, add } of pools) {
    test(`${words}: the second family is added and removed, the first stays, each with one event`, async () => {
      await add();
      await cluster.start();
      await cluster.addService("web");
      await cluster.expectShown("web", ["192.0.2.10"]);
      await cluster.changeService("web", { spec: both });
      await cluster.expectShown("web", ["192.0.2.10", "2001:db8::10"]);
      await cluster.changeService("web", { spec: { ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" } });
      await cluster.expectShown("web", ["192.0.2.10"]);
      await cluster.eventually(async () => assert.deepEqual(await cluster.virtualIpNames(), ["192.0.2.10"]));
      await cluster.eventually(async () =>
        assert.deepEqual(await cluster.eventNotesOf("web"), [
          "Ensuring load balancer",
          "Ensured load balancer 192.0.2.10",
          "Updated load balancer [192.0.2.10] -> [192.0.2.10, 2001:db8::10]",
          "Updated load balancer [192.0.2.10, 2001:db8::10] -> [192.0.2.10]",
        ]),
      );
    });
  }

  test("RequireDualStack asked of a Service that has one family: it keeps that, says so, and gets both when it can", async () => {
    await cluster.addPool("four", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.changeService("web", { spec: both });
    await cluster.expectCondition("web", "False NoPoolForService");
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
    await cluster.addPool("six", ["2001:db8::10-2001:db8::20"]);
    await cluster.expectShown("web", ["192.0.2.10", "2001:db8::10"]);
  });
});

describe("requests that change", () => {
  beforeEach(async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.addPool("other", ["192.0.2.40-192.0.2.50"], { autoAssign: false });
    await cluster.start();
  });

  const changes = [
    { words: "spec.loadBalancerIP", patch: { spec: { loadBalancerIP: "192.0.2.15" } }, to: "192.0.2.15" },
    {
      words: "bellhop.dev/ips",
      patch: { metadata: { annotations: { "bellhop.dev/ips": "192.0.2.16" } } },
      to: "192.0.2.16",
    },
    {
      words: "bellhop.dev/pool",
      patch: { metadata: { annotations: { "bellhop.dev/pool": "other" } } },
      to: "192.0.2.40",
      why: ". 192.0.2.10 is in pool lan, and the Service names pool other (annotation bellhop.dev/pool).",
    },
  ];
  for (const { words, patch, to, why = "" } of changes) {
    test(`${words} moves the address: the new one is claimed and shown before the old one goes, and one event tells it`, async () => {
      await cluster.addService("web");
      await cluster.expectCondition("web", "True AddressAssigned");
      await cluster.idle();
      const before = cluster.server.writes.length;
      await cluster.changeService("web", patch);
      await cluster.expectShown("web", [to]);
      await cluster.eventually(async () => assert.deepEqual(await cluster.virtualIpNames(), [to]));
      const steps = cluster.server.writes
        .slice(before + 1)
        .filter(({ path }) => path.includes("virtualips") || path.endsWith("services/web/status"))
        .map(({ method, path }) => `${method} ${path.split("/").at(-1)}`);
      assert.deepEqual(steps, ["POST virtualips", "PATCH status", "DELETE 192.0.2.10"]);
      await cluster.eventually(async () =>
        assert.deepEqual((await cluster.eventNotesOf("web")).slice(2), [
          `Updated load balancer [192.0.2.10] -> [${to}]${why}`,
        ]),
      );
    });
  }

  test("a request that is taken back changes nothing", async () => {
    await cluster.addService("web", { loadBalancerIP: "192.0.2.15" });
    await cluster.expectShown("web", ["192.0.2.15"]);
    await cluster.changeService("web", { spec: { loadBalancerIP: null } });
    await cluster.idle();
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.15"]);
  });
});
