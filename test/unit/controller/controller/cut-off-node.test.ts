import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { speakerLeaseName } from "../../../../src/api/speaker.ts";
import { leasePath, ownPath } from "../../../../src/kube/path.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();
const leaseSeconds = 6;

describe("a node that is cut off from the API server alone", () => {
  beforeEach(async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.addNode("n2");
    await cluster.addNode("n3");
    await cluster.start();
    for (const name of ["a", "b", "c"]) await cluster.addService(name);
    for (const name of ["a", "b", "c"]) await cluster.expectCondition(name, "True AddressAssigned");
  });

  /** What the speaker reports of its peers. */
  function report(node: string, hearing: readonly string[]): Promise<unknown> {
    const status = { bootNonce: node, peers: { bootNonce: node, hearing, lost: [] } };
    return cluster.patch(`${ownPath("speakers", node)}/status`, { status });
  }

  /** It renews its lease no more. */
  async function cutOff(node: string): Promise<void> {
    const spec = { leaseDurationSeconds: leaseSeconds, renewTime: "2026-01-01T00:00:01.000000Z" };
    await cluster.patch(leasePath("bellhop-system", speakerLeaseName(node)), { spec });
    await cluster.pass(3 * leaseSeconds * 1000);
  }

  async function firstOwners(): Promise<readonly (string | undefined)[]> {
    return (await cluster.virtualIps()).map(({ spec }) => spec.owners[0]);
  }

  test("keeps its addresses while another speaker hears it, and gets no others", async () => {
    const before = await firstOwners();
    assert.deepEqual([...before].sort(), ["n1", "n2", "n3"]);
    await report("n1", ["n2", "n3"]);
    await cutOff("n2");
    assert.deepEqual(await firstOwners(), before);
    for (const name of ["d", "e", "f", "g"]) {
      await cluster.addService(name);
      await cluster.expectCondition(name, "True AddressAssigned");
    }
    // A node that joins has the addresses balanced again.
    await cluster.addNode("n4");
    await cluster.idle();
    const owners = await firstOwners();
    assert.equal(owners.filter((node) => node === "n2").length, 1);
    assert.equal(owners[before.indexOf("n2")], "n2");
    assert.ok(owners.includes("n4"));
  });

  test("loses them when no other speaker hears it any longer", async () => {
    await report("n1", ["n2", "n3"]);
    await cutOff("n2");
    await report("n1", ["n3"]);
    await cluster.eventually(async () => assert.ok(!(await firstOwners()).includes("n2")));
  });
});
