import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createPalette } from "../../../../../src/cli/text/palette.ts";
import { renderService } from "../../../../../src/cli/text/service.ts";
import { ownPath } from "../../../../../src/kube/path.ts";
import type { Cluster } from "../../fake-cluster/cluster.ts";
import { useCluster } from "../../fake-cluster/use-cluster.ts";
import { addEndpoints, addLeader, announce, askService } from "../load-and-explain.ts";

interface Case {
  readonly name: string;
  readonly spec?: Record<string, unknown>;
  readonly annotations?: Record<string, string>;
  readonly before?: (cluster: Cluster) => Promise<void>;
  /** Codes of all reasons, in order; none: served. */
  readonly codes: readonly string[];
  readonly says: RegExp;
}

/** `lan` on the node's subnet, `named` only for Services that name it, `shop` only for another namespace, `far` on no subnet. */
async function addPools(cluster: Cluster): Promise<void> {
  await cluster.addPool("lan", ["192.0.2.10-192.0.2.19"]);
  await cluster.addPool("named", ["192.0.2.30-192.0.2.39"], { autoAssign: false });
  await cluster.addPool("shop", ["192.0.2.40-192.0.2.49"], { serviceAllocation: { namespaces: ["shop"] } });
  await cluster.addPool("far", ["198.51.100.0/28"], { autoAssign: false });
}

const cases: readonly Case[] = [
  { name: "all is well", codes: [], says: /✓ Served: 192\.0\.2\.10 is announced/ },
  { name: "not of the type", spec: { type: "ClusterIP" }, codes: ["NotLoadBalancer"], says: /spec\.type ClusterIP/ },
  {
    name: "of another class",
    spec: { loadBalancerClass: "example.com/x" },
    codes: ["ForeignClass"],
    says: /example\.com\/x: the class of another load balancer/,
  },
  {
    name: "an annotation that is not an address",
    spec: { loadBalancerIP: "one.two" },
    codes: ["RequestedAddressInvalid"],
    says: /requests one\.two \(spec\.loadBalancerIP\), which is not an IP address/,
  },
  {
    name: "an annotation of the other family",
    spec: { loadBalancerIP: "2001:db8::7" },
    codes: ["RequestedAddressWrongFamily"],
    says: /The address is IPv6/,
  },
  {
    name: "an annotation outside all pools",
    spec: { loadBalancerIP: "203.0.113.9" },
    codes: ["RequestedAddressNotInPool"],
    says: /203\.0\.113\.9 is requested[\s\S]*pools have .*192\.0\.2\.10-192\.0\.2\.19 \(lan\)/,
  },
  {
    name: "an annotation for the node's own address",
    spec: { loadBalancerIP: "192.0.2.250" },
    codes: ["RequestedAddressTaken"],
    says: /on an interface of Node n1/,
  },
  {
    name: "a pool that is not there",
    annotations: { "bellhop.dev/pool": "nosuch" },
    codes: ["PoolNotFound"],
    says: /✗ pool nosuch: PoolNotFound[\s\S]*The pools are far, lan, named, shop/,
  },
  {
    name: "a pool that does not admit it",
    annotations: { "bellhop.dev/pool": "shop" },
    codes: ["PoolForbidsService"],
    says: /admits only namespaces shop, and default is not one of them/,
  },
  {
    name: "a pool without the family",
    spec: { ipFamilies: ["IPv6"] },
    codes: ["NoPoolForService"],
    says: /✗ pool lan: PoolLacksFamily[\s\S]*✗ pool named: PoolNotAutoAssigned/,
  },
  {
    name: "an address on no node's subnet",
    annotations: { "bellhop.dev/pool": "far" },
    before: (cluster) => addEndpoints(cluster, "web", [{ nodeName: "n1", ready: true }]),
    codes: ["NoAnnouncer"],
    says: /✗ n1 cannot announce it: no interface is on the subnet of 198\.51\.100\.[\s\S]*n1 has no interface on the subnet of the address/,
  },
];

describe("bellhop explain service", () => {
  const cluster = useCluster(async (cluster) => {
    await cluster.addNode("n1");
    await addLeader(cluster);
  });

  for (const { name, spec, annotations, before, codes, says } of cases) {
    test(name, async () => {
      await addPools(cluster);
      await cluster.start();
      await before?.(cluster);
      await cluster.addService("web", spec, annotations === undefined ? {} : { annotations });
      if (codes.length === 0) {
        await addEndpoints(cluster, "web", [{ nodeName: "n1", ready: true }]);
        await cluster.eventually(async () => assert.equal(await cluster.condition("web"), "True AddressAssigned"));
        await announce(cluster, "192.0.2.10", { node: "n1" });
      }
      await cluster.eventually(async () => {
        const explanation = await askService(cluster, "web");
        assert.deepEqual(
          explanation.reasons.map(({ code }) => code).filter((code) => code !== "NotAnnouncedYet"),
          codes,
        );
        const text = renderService(explanation, createPalette(false));
        assert.match(text, says);
        assert.ok(!text.includes("\u001b"), "no colours");
        const [first] = explanation.reasons;
        if (first !== undefined) assert.ok(text.includes(`Cure: ${first.cure}`), "the cure is told");
      });
    });
  }

  test("the conclusion is the controller's own reason", async () => {
    await addPools(cluster);
    await cluster.start();
    for (const [index, wanted] of ["one.two", "2001:db8::7", "203.0.113.9", "192.0.2.250"].entries()) {
      const name = `web-${index}`;
      await cluster.addService(name, { loadBalancerIP: wanted });
      await cluster.eventually(async () => {
        const { reasons } = await askService(cluster, name);
        assert.equal(await cluster.condition(name), `False ${reasons[0]?.code}`);
      });
    }
  });

  test("without pools, without a leader, without pods: each is reported in its turn", async () => {
    await cluster.addService("web");
    assert.deepEqual(
      (await askService(cluster, "web")).reasons.map(({ code }) => code),
      ["NoPool"],
    );
    await addPools(cluster);
    assert.deepEqual(
      (await askService(cluster, "web")).reasons.map(({ code }) => code),
      ["NotDoneYet"],
    );
    await cluster.start();
    await cluster.eventually(async () => assert.equal(await cluster.condition("web"), "True AddressAssigned"));
    const codes = async () => (await askService(cluster, "web")).reasons.map(({ code }) => code);
    assert.deepEqual(await codes(), ["NotAnnouncedYet", "NoReadyEndpoint"]);
    await announce(cluster, "192.0.2.10", { node: "n1" });
    await addEndpoints(cluster, "web", [{ nodeName: "n1", ready: false }]);
    const { reasons } = await askService(cluster, "web");
    assert.match(reasons[0]?.message ?? "", /Its only IPv4 endpoint is not ready\./);
  });

  test("under Local a ready pod elsewhere is not enough", async () => {
    await addPools(cluster);
    await cluster.start();
    await cluster.addService("web", { externalTrafficPolicy: "Local" });
    await addEndpoints(cluster, "web", [{ nodeName: "n2", ready: true }]);
    await cluster.eventually(async () => assert.equal(await cluster.condition("web"), "True AddressAssigned"));
    await announce(cluster, "192.0.2.10", { node: "n1" });
    const { reasons } = await askService(cluster, "web");
    assert.deepEqual(
      reasons.map(({ code }) => code),
      ["NoLocalEndpoint"],
    );
    assert.match(reasons[0]?.message ?? "", /ready pods are on n2/);
  });

  test("hints that the announcing node follows are mentioned, and those that it does not are not", async () => {
    await addPools(cluster);
    await cluster.start();
    for (const [name, address, forNode] of [
      ["web", "192.0.2.10", "n1"],
      ["far", "192.0.2.11", "n2"],
    ] as const) {
      await cluster.addService(name);
      await addEndpoints(cluster, name, [{ nodeName: forNode, ready: true, forNode }]);
      await cluster.eventually(async () => assert.equal(await cluster.condition(name), "True AddressAssigned"));
      await announce(cluster, address, { node: "n1" });
    }
    const pathOf = async (name: string) => (await askService(cluster, name)).ports[0]?.path ?? "";
    assert.match(await pathOf("web"), /, of those with a hint for node n1$/);
    assert.doesNotMatch(await pathOf("far"), /hint/);
  });

  describe("a node is dead, and the cluster lists its endpoints still", () => {
    const ports = [{ port: 80, protocol: "TCP", nodePort: 30080 }];

    async function explainDead(status: object, spec: object = {}, ready = true) {
      await addPools(cluster);
      await cluster.start();
      await cluster.addService("web", { ports, ...spec });
      await addEndpoints(cluster, "web", [
        { nodeName: "n1", ready: true },
        { nodeName: "n2", ready },
      ]);
      await cluster.eventually(async () => assert.equal(await cluster.condition("web"), "True AddressAssigned"));
      await announce(cluster, "192.0.2.10", { node: "n1" });
      const path = `${ownPath("speakers", "n1")}/status`;
      const features = { bootNonce: "a", names: ["AvoidsDeadNodes"] };
      const peers = { bootNonce: "a", deadNodes: ["n2", "n3"] };
      const body = { status: { bootNonce: "a", features, peers, ...status } };
      await cluster.patch(path, body);
      const explanation = await askService(cluster, "web");
      return { path: explanation.ports[0]?.path ?? "", remarks: explanation.remarks.join("\n") };
    }

    test("the dead node is named as the cause why connections go straight to pods", async () => {
      const { path, remarks } = await explainDead({});
      assert.equal(path, "directly to a pod (while kube-proxy may choose pods of n2, which is dead)");
      assert.match(remarks, /^Node n2 is dead, as the speaker of node n1 reports\./m);
      assert.doesNotMatch(remarks, /n3/);
    });

    test("once the cluster has noticed, too, it is said that kube-proxy may not know it yet", async () => {
      const { path, remarks } = await explainDead({}, {}, false);
      assert.match(path, /^kube-proxy's own rules .*; new connections go directly to a pod while kube-proxy may not/);
      assert.match(remarks, /^Node n2 is dead, .* no longer list them as ready\. .* 60 s by default/m);
      assert.doesNotMatch(remarks, /n3/);
    });

    test("of a frozen node it is said that its kernel answers", async () => {
      const { remarks } = await explainDead({ peers: { bootNonce: "a", deadNodes: ["n2"], frozenNodes: ["n2"] } });
      assert.match(
        remarks,
        /^Node n2 is frozen: its kernel answers and its programs do not, as the speaker of node n1/m,
      );
    });

    test("what an earlier speaker of the node reported does not count", async () => {
      const { path, remarks } = await explainDead({ bootNonce: "b" });
      assert.match(path, /^kube-proxy's own rules/);
      assert.doesNotMatch(remarks, /is dead/);
    });

    test("where a firewall may drop what goes straight to pods, kube-proxy continues to deliver", async () => {
      const policy = { type: "ForwardPolicy", status: "Unknown", reason: "x", message: "x." };
      const { path, remarks } = await explainDead({
        conditions: [{ ...policy, lastTransitionTime: "2026-01-01T00:00:00Z" }],
      });
      assert.match(path, /^kube-proxy's own rules/);
      assert.match(remarks, /^Node n2 is dead/m);
    });

    test("with session affinity, only where the speaker's node has learned whom kube-proxy sends where", async () => {
      const spec = { sessionAffinity: "ClientIP" };
      const names = ["AvoidsDeadNodes", "LearnsAffinity"];
      const learned = await explainDead({ features: { bootNonce: "a", names } }, spec);
      assert.match(learned.path, /^directly to a pod/);
      const path = `${ownPath("speakers", "n1")}/status`;
      await cluster.patch(path, { status: { features: { bootNonce: "a", names: names.slice(0, 1) } } });
      assert.match((await askService(cluster, "web")).ports[0]?.path ?? "", /^kube-proxy's own rules/);
    });

    test("a speaker that leaves everything to kube-proxy does so now, too", async () => {
      const { path, remarks } = await explainDead({ features: { bootNonce: "a", names: [] } });
      assert.match(path, /^kube-proxy's own rules/);
      assert.match(remarks, /^Node n2 is dead/m);
    });

    test("under Local its pods take no connections anyway", async () => {
      const { path } = await explainDead({}, { externalTrafficPolicy: "Local" });
      assert.match(path, /^kube-proxy's own rules/);
    });
  });

  test("a speaker that has shut down announces nothing, even if the status still says so", async () => {
    await addPools(cluster);
    await cluster.start();
    await cluster.addService("web");
    await addEndpoints(cluster, "web", [{ nodeName: "n1", ready: true }]);
    await cluster.eventually(async () => assert.equal(await cluster.condition("web"), "True AddressAssigned"));
    await announce(cluster, "192.0.2.10", { node: "n1" });
    await cluster.silenceNode("n1");
    const { reasons, families } = await askService(cluster, "web");
    assert.equal(reasons[0]?.code, "NoAnnouncer");
    assert.match(families[0]?.addresses[0]?.nodes[0]?.reason ?? "", /its speaker is not running/);
  });

  test("a foreign device that claims the address is named", async () => {
    await addPools(cluster);
    await cluster.start();
    await cluster.addService("web");
    await addEndpoints(cluster, "web", [{ nodeName: "n1", ready: true }]);
    await cluster.eventually(async () => assert.equal(await cluster.condition("web"), "True AddressAssigned"));
    const conflict = {
      type: "Conflict",
      status: "True",
      reason: "ForeignMac",
      message: "02:00:00:00:00:99 claims it. Find it.",
    };
    const conditions = [{ ...conflict, lastTransitionTime: "2026-01-01T00:00:00Z" }];
    await announce(cluster, "192.0.2.10", { node: "n1", conditions });
    const { reasons } = await askService(cluster, "web");
    assert.deepEqual(
      reasons.map(({ code }) => code),
      ["AddressConflict"],
    );
    assert.match(reasons[0]?.message ?? "", /02:00:00:00:00:99/);
  });

  test("the Services that share the address are named", async () => {
    await addPools(cluster);
    await cluster.start();
    const annotations = { "bellhop.dev/share": "front" };
    await cluster.addService("web", {}, { annotations });
    await cluster.eventually(async () => assert.equal(await cluster.condition("web"), "True AddressAssigned"));
    const ports = [{ port: 443, protocol: "TCP", nodePort: 30443 }];
    await cluster.addService("secure", { ports }, { annotations });
    await cluster.eventually(async () => assert.equal(await cluster.condition("secure"), "True AddressAssigned"));
    const explanation = await askService(cluster, "web");
    assert.deepEqual([...(explanation.families[0]?.addresses[0]?.services ?? [])].sort(), [
      "default/secure",
      "default/web",
    ]);
    assert.match(renderService(explanation, createPalette(false)), /shared by default\/\w+, default\/\w+/);
  });

  test("colours only if they are on", async () => {
    await cluster.addService("web");
    const explanation = await askService(cluster, "web");
    assert.ok(renderService(explanation, createPalette(true)).includes("\u001b[31m"));
    assert.ok(!renderService(explanation, createPalette(false)).includes("\u001b"));
  });

  test("asking writes nothing", async () => {
    await addPools(cluster);
    await cluster.addService("web");
    const before = cluster.server.requests.length;
    await askService(cluster, "web");
    assert.deepEqual(
      cluster.server.requests.slice(before).filter(({ method }) => method !== "GET"),
      [],
    );
  });

  test("a Service that does not exist is an error", async () => {
    await assert.rejects(askService(cluster, "nosuch"), { code: "ObjectNotFound" });
  });
});
