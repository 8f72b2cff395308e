import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Cluster } from "./cluster.ts";
import { eventually, quiet } from "./eventually.ts";

let cluster: Cluster;

beforeEach(async () => {
  cluster = new Cluster();
  await cluster.addNode("n1");
});

afterEach(() => cluster.stopAll());

async function claimNames(): Promise<readonly string[]> {
  return (await cluster.virtualIps()).map(({ metadata }) => metadata.name).sort();
}

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
      await eventually(async () => assert.deepEqual(await claimNames(), ["192.0.2.10"]));
      await eventually(async () =>
        assert.deepEqual(await cluster.eventNotesOf("web"), [
          "Ensuring load balancer",
          "Ensured load balancer 192.0.2.10",
          "Updated load balancer [192.0.2.10] -> [192.0.2.10, 2001:db8::10]",
          "Updated load balancer [192.0.2.10, 2001:db8::10] -> [192.0.2.10]",
        ]),
      );
    });
  }

  test("one request for each family, in one annotation", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20", "2001:db8::10-2001:db8::20"]);
    await cluster.start();
    const annotations = { "bellhop.dev/ips": "2001:db8::15, 192.0.2.15" };
    await cluster.addService("web", both, { annotations });
    await cluster.expectShown("web", ["192.0.2.15", "2001:db8::15"]);
  });

  test("PreferDualStack gets the family that it asks for also where the other has no pool", async () => {
    await cluster.addPool("four", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    await cluster.addService("web", { ...both, ipFamilyPolicy: "PreferDualStack", loadBalancerIP: "192.0.2.15" });
    await cluster.expectShown("web", ["192.0.2.15"]);
    await cluster.expectCondition("web", "True AddressAssigned");
  });

  test("a request of PreferDualStack that cannot be met is refused, not replaced", async () => {
    await cluster.addPool("four", ["192.0.2.10-192.0.2.20"]);
    await cluster.start();
    const annotations = { "bellhop.dev/ips": "192.0.2.15,2001:db8::15" };
    await cluster.addService("web", { ...both, ipFamilyPolicy: "PreferDualStack" }, { annotations });
    await cluster.expectCondition("web", "False RequestedAddressNotInPool");
    assert.deepEqual(await cluster.shown("web"), []);
  });

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
      why: ": 192.0.2.10 is of pool lan, metadata.annotations[bellhop.dev/pool] asks for other",
    },
  ];
  for (const { words, patch, to, why = "" } of changes) {
    test(`${words} moves the address: the new one is claimed and shown before the old one goes, and one event tells it`, async () => {
      await cluster.addService("web");
      await cluster.expectCondition("web", "True AddressAssigned");
      await quiet();
      const before = cluster.server.writes.length;
      await cluster.changeService("web", patch);
      await cluster.expectShown("web", [to]);
      await eventually(async () => assert.deepEqual(await claimNames(), [to]));
      const steps = cluster.server.writes
        .slice(before + 1)
        .filter(({ path }) => path.includes("virtualips") || path.endsWith("services/web/status"))
        .map(({ method, path }) => `${method} ${path.split("/").at(-1)}`);
      assert.deepEqual(steps, ["POST virtualips", "PATCH status", "DELETE 192.0.2.10"]);
      await eventually(async () =>
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
    await quiet();
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.15"]);
  });
});

describe("a refusal that stands", () => {
  test("costs a bounded number of writes and events, whatever happens around it", async () => {
    await cluster.addPool("lan", ["192.0.2.10"]);
    const running = await cluster.start();
    await cluster.addService("first");
    await cluster.expectShown("first", ["192.0.2.10"]);
    const refused = [
      { name: "full", spec: {}, code: "PoolExhausted" },
      { name: "taken", spec: { loadBalancerIP: "192.0.2.10" }, code: "RequestedAddressTaken" },
      { name: "garbage", spec: { loadBalancerIP: "one.two" }, code: "RequestedAddressInvalid" },
    ];
    for (const { name, spec, code } of refused) {
      await cluster.addService(name, spec);
      await cluster.expectCondition(name, `False ${code}`);
    }
    await quiet();
    const before = cluster.server.writes.length;
    for (let round = 0; round < 10; round++) {
      await cluster.changePool("lan", { autoAssign: round % 2 === 0, avoidBuggyIPs: round % 2 === 0 });
      await cluster.changePool("lan", { autoAssign: true });
      for (const { name } of refused) {
        await cluster.changeService(name, { metadata: { labels: { round: String(round) } } });
      }
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    await quiet();
    const ours = cluster.server.writes.slice(before).filter(({ path, body }) => {
      const labels = (body as { metadata?: { labels?: { round?: string } } } | undefined)?.metadata?.labels;
      return (path.includes("/services/") || path.includes("/events")) && labels?.round === undefined;
    });
    // While the pool gives nothing unasked, one of them is refused for another reason: two codes, told once each.
    for (const { name, code } of refused) {
      const reasons = await cluster.eventsOf(name);
      assert.equal(reasons.filter((reason) => reason === code).length, 1, `${name}: ${reasons.join(" ")}`);
      assert.ok(reasons.length <= 2, `${name}: ${reasons.join(" ")}`);
    }
    for (const name of ["taken", "garbage"]) {
      assert.deepEqual(
        ours.filter(({ path }) => path.includes(`/services/${name}`)),
        [],
      );
    }
    const metrics = await running.registry.metrics();
    for (const { code } of refused)
      assert.match(metrics, new RegExp(`bellhop_services_pending\\{reason="${code}"\\} 1`));
    for (const { code } of refused) assert.match(metrics, new RegExp(`bellhop_refusals_total\\{reason="${code}"\\} `));
  });
});

describe("reservations made by hand", () => {
  const address = { address: "192.0.2.12" };

  beforeEach(async () => {
    await cluster.addPool("lan", ["192.0.2.12-192.0.2.20"]);
  });

  test("kept out of use: nobody gets it, asking for it is refused with its name; once it is deleted it is free", async () => {
    await cluster.addVirtualIp("192.0.2.12", address);
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.13"]);
    await cluster.addService("asks", { loadBalancerIP: "192.0.2.12" });
    await cluster.expectCondition("asks", "False RequestedAddressReserved");
    await cluster.server.request({ method: "DELETE", path: "/apis/bellhop.dev/v1beta1/virtualips/192.0.2.12" });
    await cluster.expectShown("asks", ["192.0.2.12"]);
  });

  test("for a Service that does not exist yet, then comes, goes and comes again", async () => {
    await cluster.addVirtualIp("192.0.2.12", { ...address, services: [{ namespace: "default", name: "web" }] });
    await cluster.start();
    for (let round = 0; round < 2; round++) {
      await cluster.addService("web");
      await cluster.expectShown("web", ["192.0.2.12"]);
      await cluster.deleteService("web");
      await eventually(async () => assert.equal(await cluster.service("web"), undefined));
    }
    const [reservation] = await cluster.virtualIps();
    assert.deepEqual(reservation?.spec.services, [{ namespace: "default", name: "web" }]);
  });

  test("outside every pool too", async () => {
    await cluster.addVirtualIp("192.0.2.99", {
      address: "192.0.2.99",
      services: [{ namespace: "default", name: "web" }],
    });
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.99"]);
    await cluster.expectCondition("web", "True AddressAssigned");
  });

  test("for two who share it: what each takes is noted while it is there and gone with it", async () => {
    const services = ["a", "b"].map((name) => ({ namespace: "default", name }));
    await cluster.addVirtualIp("192.0.2.12", { ...address, services });
    await cluster.start();
    const share = { annotations: { "bellhop.dev/share": "front" } };
    const ports = (port: number) => ({ ports: [{ port, protocol: "TCP", nodePort: 30000 + port }] });
    await cluster.addService("a", ports(80), share);
    await cluster.expectShown("a", ["192.0.2.12"]);
    await cluster.addService("b", ports(80), share);
    await cluster.expectShown("b", ["192.0.2.13"]);
    await cluster.changeService("b", { spec: { ...ports(81), loadBalancerIP: "192.0.2.12" } });
    await cluster.expectShown("b", ["192.0.2.12"]);
    for (const name of ["a", "b"]) await cluster.deleteService(name);
    await eventually(async () =>
      assert.deepEqual(
        (await cluster.virtualIps()).map(({ spec }) => spec.services),
        [services],
      ),
    );
  });

  test("for two of which none has a sharing key: neither gets it, for it would be the other's too", async () => {
    const services = ["a", "b"].map((name) => ({ namespace: "default", name }));
    await cluster.addVirtualIp("192.0.2.12", { ...address, services });
    await cluster.start();
    await cluster.addService("a");
    await cluster.expectShown("a", ["192.0.2.13"]);
    await cluster.addService("b", { loadBalancerIP: "192.0.2.12" });
    await cluster.expectCondition("b", "False RequestedAddressTaken");
  });

  test("one whose name is not its address's is told so and holds nothing", async () => {
    await cluster.start();
    await cluster.addVirtualIp("wrong", { address: "192.0.2.12" });
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.12"]);
    await eventually(async () => assert.deepEqual(await cluster.eventsOf("wrong"), ["VirtualIpInvalid"]));
  });
});

describe("what happened while no controller ran", () => {
  beforeEach(async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    const first = await cluster.start();
    for (const name of ["deleted", "changed", "stays"]) {
      await cluster.addService(name);
      await cluster.expectCondition(name, "True AddressAssigned");
    }
    await first.stop();
  });

  test("deleted, turned into ClusterIP: finalizers and claims go; the one that stays keeps all", async () => {
    const kept = await cluster.shown("stays");
    await cluster.deleteService("deleted");
    await cluster.changeService("changed", { spec: { type: "ClusterIP" } });
    assert.deepEqual(await cluster.shown("changed"), [], "the API server has emptied its status");
    await cluster.start();
    await eventually(async () => assert.equal(await cluster.service("deleted"), undefined));
    await eventually(async () => assert.deepEqual((await cluster.service("changed"))?.metadata?.finalizers ?? [], []));
    await eventually(async () => assert.equal((await claimNames()).length, 1));
    assert.deepEqual(await cluster.shown("stays"), kept);
  });

  test("deleted and made anew under the same name: the new one gets a claim of its own", async () => {
    await cluster.changeService("deleted", { metadata: { finalizers: null } });
    await cluster.deleteService("deleted");
    await cluster.addService("deleted");
    await cluster.start();
    await cluster.expectCondition("deleted", "True AddressAssigned");
    const uid = (await cluster.service("deleted"))?.metadata?.uid;
    await eventually(async () => {
      const claims = (await cluster.virtualIps()).filter(({ spec }) => spec.services[0]?.name === "deleted");
      assert.deepEqual(
        claims.map(({ spec }) => spec.services[0]?.uid),
        [uid],
      );
    });
  });
});
