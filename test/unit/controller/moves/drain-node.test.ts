import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { type DrainReport, drainNode, undrainNode } from "../../../../controller/moves/drain-node.ts";
import { renderDrain } from "../../../../src/cli/text/drain.ts";
import { createPalette } from "../../../../src/cli/text/palette.ts";
import { putSlice } from "../fake-cluster/nodes.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";
import { drainCases } from "./drain-cases.ts";
import { accessTo, addLeader, announceAll, whileServed } from "./served-cluster.ts";

describe("bellhop drain", () => {
  const cluster = useCluster();
  const palette = createPalette(false);
  let progress: string[] = [];

  beforeEach(async () => {
    progress = [];
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.addNode("n2");
  });

  async function serve(...names: readonly string[]): Promise<void> {
    await cluster.start();
    for (const name of names) await cluster.addService(name);
    for (const name of names) await cluster.expectCondition(name, "True AddressAssigned");
    await announceAll(cluster);
  }

  function drain(node: string, except: readonly string[] = []): Promise<DrainReport> {
    const onProgress = (moved: number, all: number) => void progress.push(`${moved}/${all}`);
    return whileServed(cluster, drainNode({ ...accessTo(cluster), node, timeoutMs: 10_000, onProgress }), except);
  }

  async function announcers(): Promise<readonly (string | undefined)[]> {
    return (await cluster.virtualIps()).map(({ status }) => status?.node);
  }

  test("moves all addresses of the node, with progress, and none come until it is undrained", async () => {
    await addLeader(cluster);
    await serve("a", "b", "c", "d");
    const report = await drain("n2");
    assert.deepEqual(report, { node: "n2", moved: 2, left: [] });
    assert.deepEqual(await announcers(), ["n1", "n1", "n1", "n1"]);
    assert.equal(progress.at(-1), "2/2");
    assert.match(renderDrain(report, palette), /^✓ Node n2 announces no addresses\. 2 addresses have moved/);
    await cluster.addService("e");
    await cluster.expectCondition("e", "True AddressAssigned");
    await announceAll(cluster);
    assert.ok(!(await announcers()).includes("n2"));
    assert.deepEqual(await drain("n2"), { node: "n2", moved: 0, left: [] }, "once more there is nothing to do");
    await undrainNode({ client: cluster.server, node: "n2" });
    await cluster.idle();
    await announceAll(cluster);
    assert.equal((await announcers()).filter((node) => node === "n2").length, 2);
  });

  for (const { name, prepare, code, detail, except = [] } of drainCases) {
    test(`names the address that is left: ${name}`, async () => {
      if (prepare !== "no leader") await addLeader(cluster);
      if (prepare === "local") await putSlice(cluster, "web", ["n2"]);
      if (prepare === "alone") await cluster.silenceNode("n1");
      await serve();
      await cluster.addService("web", prepare === "local" ? { externalTrafficPolicy: "Local" } : {});
      await cluster.expectCondition("web", "True AddressAssigned");
      if (prepare === "others drained") {
        const body = { metadata: { annotations: { "bellhop.dev/drain": "true" } } };
        const path = "/apis/bellhop.dev/v1beta1/speakers/n1";
        await cluster.patch(path, body);
        await cluster.idle();
      }
      await announceAll(cluster);
      const [node = ""] = await announcers();
      const report = await drain(node, except);
      assert.deepEqual(
        report.left.map((left) => [left.address, left.services, left.reason.code]),
        [["192.0.2.10", ["default/web"], code]],
      );
      assert.match(report.left[0]?.reason.message ?? "", detail);
      assert.match(renderDrain(report, palette), new RegExp(`1 address is left on node ${node}.*\n.*\n.*${code}`));
    });
  }

  test("of a node without a speaker is an error that says what to look at", async () => {
    await assert.rejects(drain("n9"), { code: "ObjectNotFound", message: /Speaker n9 does not exist/ });
  });
});
