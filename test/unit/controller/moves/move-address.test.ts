import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { moveAddress, showAddress, unpinAddress } from "../../../../controller/moves/move-address.ts";
import { renderMove } from "../../../../src/cli/text/move.ts";
import { createPalette } from "../../../../src/cli/text/palette.ts";
import { parseAddress } from "../../../../src/ip/address.ts";
import { ownPath } from "../../../../src/kube/path.ts";
import { addNodePool, putNode, putSlice } from "../fake-cluster/nodes.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";
import { moveCases } from "./move-cases.ts";
import { accessTo, addLeader, announceAll, whileServed } from "./served-cluster.ts";

describe("bellhop move", () => {
  const cluster = useCluster();
  const palette = createPalette(false);

  beforeEach(async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    for (const node of ["n2", "n3"]) await cluster.addNode(node);
    await cluster.addNode("far", ["198.51.100.9/24"]);
  });

  async function serve(spec: Record<string, unknown> = {}): Promise<void> {
    await cluster.start();
    await cluster.addService("web", spec);
    await cluster.expectCondition("web", "True AddressAssigned");
    await announceAll(cluster);
  }

  function options(text = "192.0.2.10", timeoutMs = 10_000) {
    const address = parseAddress(text);
    assert.ok(address !== undefined);
    return { ...accessTo(cluster), address, timeoutMs };
  }

  function annotate(path: string, annotations: Record<string, string>): Promise<unknown> {
    return cluster.patch(path, { metadata: { annotations } });
  }

  test("pins the address to the node, and ends when that node announces it", async () => {
    await addLeader(cluster);
    await serve();
    for (const node of ["n3", "n2"]) {
      const report = await whileServed(cluster, moveAddress(options(), node));
      assert.deepEqual([report.announcedBy, report.pinnedTo, report.reason], [node, node, undefined]);
      assert.match(
        renderMove(report, palette),
        new RegExp(`^✓ 192.0.2.10 is announced by ${node}; .* pinned to ${node};`),
      );
    }
  });

  test("shows where the address is, and removes the pin without moving it", async () => {
    await addLeader(cluster);
    await serve();
    await whileServed(cluster, moveAddress(options(), "n3"));
    assert.equal((await showAddress(options())).pinnedTo, "n3");
    const report = await unpinAddress(options());
    assert.deepEqual([report.announcedBy, report.pinnedTo], ["n3", undefined]);
    assert.match(renderMove(report, palette), /not pinned to a node/);
    await cluster.idle();
    assert.equal((await showAddress(options())).owners[0], "n3");
  });

  test("says so where the node does not begin to announce the address in time; the pin stays", async () => {
    await addLeader(cluster);
    await serve();
    const [first = ""] = (await showAddress(options())).owners;
    const target = first === "n3" ? "n2" : "n3";
    const report = await whileServed(cluster, moveAddress(options(), target), [target]);
    assert.equal(report.reason?.code, "NotMovedYet");
    assert.deepEqual([report.announcedBy, report.pinnedTo], [first, target]);
  });

  for (const { name, node, address, prepare, code, detail } of moveCases) {
    test(`refuses, and changes nothing: ${name}`, async () => {
      if (prepare !== "no leader") await addLeader(cluster);
      if (prepare === "own address") {
        await putNode(cluster, "n1", { internal: ["192.0.2.250"] });
        await addNodePool(cluster, "own");
        await cluster.start();
        await putSlice(cluster, "web", ["n1"]);
        await cluster.addService("web", {}, { annotations: { "bellhop.dev/pool": "own" } });
        await cluster.expectCondition("web", "True AddressAssigned");
      } else if (prepare === "local") {
        await putSlice(cluster, "web", ["n1"]);
        await serve({ externalTrafficPolicy: "Local", selector: { app: "web" } });
      } else {
        await serve();
      }
      if (prepare === "drained") await annotate(ownPath("speakers", "n3"), { "bellhop.dev/drain": "true" });
      if (prepare === "reserved") await cluster.addVirtualIp("192.0.2.11", { address: "192.0.2.11" });
      await cluster.idle();
      const before = JSON.stringify(await cluster.virtualIps());
      const report = await whileServed(cluster, moveAddress(options(address), node));
      assert.equal(report.reason?.code, code);
      assert.match(report.reason.message, detail);
      assert.equal(JSON.stringify(await cluster.virtualIps()), before);
      assert.match(renderMove(report, palette), new RegExp(`^✗ ${code}\n`));
    });
  }
});
