import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { renderAddress } from "../../../../src/cli/text/address.ts";
import { createPalette } from "../../../../src/cli/text/palette.ts";
import { renderPoolsPlan } from "../../../../src/cli/text/pools-plan.ts";
import { renderService } from "../../../../src/cli/text/service.ts";
import { addNodePool, putNode } from "../fake-cluster/nodes.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";
import { addEndpoints, addLeader, askAddress, askPlan, askService } from "./load-and-explain.ts";

const plain = createPalette(false);

describe("explaining the nodes' own addresses", () => {
  const cluster = useCluster(async (cluster) => {
    await putNode(cluster, "n1", { internal: ["192.0.2.1"] });
    await putNode(cluster, "n2", { internal: ["192.0.2.2"], labels: { edge: "yes" } });
    await addNodePool(cluster, "nodes");
    await addLeader(cluster);
    await cluster.start();
    await cluster.addService("web");
    await addEndpoints(cluster, "web", [{ nodeName: "n1", ready: true }]);
    await cluster.eventually(async () => assert.equal((await cluster.shown("web")).length, 2));
  });

  test("a Service that has them is served without an announcement", async () => {
    const explanation = await askService(cluster, "web");
    assert.deepEqual(explanation.reasons, []);
    const text = renderService(explanation, plain);
    assert.match(
      text,
      /192\.0\.2\.1 from pool nodes, VirtualIP 192\.0\.2\.1\n +the address of Node n1, which answers for it/,
    );
    assert.match(text, /80\/TCP → kube-proxy's own rules for the address/);
    assert.match(text, /✓ Served: 192\.0\.2\.1 and 192\.0\.2\.2 are node addresses and have ready endpoints/);
  });

  test("one whose port is taken names the Service that has it", async () => {
    await cluster.addService("other");
    await cluster.eventually(async () => assert.equal(await cluster.condition("other"), "False NodeAddressPortTaken"));
    const explanation = await askService(cluster, "other");
    assert.deepEqual(
      explanation.reasons.map(({ code }) => code),
      ["NodeAddressPortTaken"],
    );
    const text = renderService(explanation, plain);
    assert.match(
      text,
      /✗ pool nodes: NodeAddressPortTaken\. Service default\/web uses 80\/TCP on 192\.0\.2\.1 of Node n1/,
    );
  });

  test("an address says whose it is, taken or not", async () => {
    const taken = await askAddress(cluster, "192.0.2.1");
    assert.equal(taken.state, "assigned");
    assert.match(taken.conclusion, /belongs to Service default\/web\. It is the address of Node n1/);
    assert.match(renderAddress(taken, plain), /the address of Node n1/);
    await putNode(cluster, "n3", { internal: ["192.0.2.3"] });
    await cluster.deleteService("web");
    const free = await askAddress(cluster, "192.0.2.3");
    assert.deepEqual([free.state, free.pool], ["free", "nodes"]);
  });

  test("a plan says which Services would lose a node", async () => {
    const manifest = `apiVersion: bellhop.dev/v1beta1
kind: IPAddressPool
metadata: {name: nodes}
spec:
  nodeAddresses:
    nodeSelectors: [{matchLabels: {edge: "yes"}}]
`;
    const plan = await askPlan(cluster, manifest);
    assert.equal(plan.harmless, false);
    assert.deepEqual(
      plan.leaving.map(({ address, services, from, to }) => [address, services, from, to]),
      [["192.0.2.1", ["default/web"], "nodes", undefined]],
    );
    assert.deepEqual(plan.outside, []);
    const text = renderPoolsPlan(plan, plain);
    assert.match(text, /IPAddressPool nodes: changed, IPv4 2 → 1, IPv6 0/);
    assert.match(
      text,
      /1 address of nodes would be removed from Services, which keep their other addresses:\n +192\.0\.2\.1/,
    );
    const empty = await askPlan(cluster, manifest.replace("edge", "none"));
    assert.deepEqual([empty.outside.length, empty.leaving.length], [2, 0]);
  });
});
