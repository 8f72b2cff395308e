import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { ownPath } from "../../../../src/kube/path.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

describe("an address that is pinned to a node", () => {
  beforeEach(async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.addNode("n2");
    await cluster.addNode("n3");
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectCondition("web", "True AddressAssigned");
  });

  async function firstOwner(): Promise<string | undefined> {
    return (await cluster.virtualIp("192.0.2.10"))?.spec.owners[0];
  }

  async function pin(node: string | null): Promise<void> {
    const body = { metadata: { annotations: { "bellhop.dev/node": node } } };
    const path = ownPath("virtualips", "192.0.2.10");
    await cluster.patch(path, body);
  }

  async function expectFirst(node: string): Promise<void> {
    await cluster.eventually(async () => assert.equal(await firstOwner(), node));
    await cluster.idle();
    assert.equal(await firstOwner(), node);
  }

  test("moves there, with an event, and stays there when the pin is removed", async () => {
    const [other = ""] = ["n1", "n2", "n3"].filter((node) => node !== "n3");
    for (const node of ["n3", other]) {
      await pin(node);
      await expectFirst(node);
    }
    assert.ok((await cluster.eventsOf("192.0.2.10")).includes("OwnersChanged"));
    await pin(null);
    await expectFirst(other);
  });

  test("is not moved away by a rebalance", async () => {
    await pin("n2");
    await expectFirst("n2");
    for (const service of ["a", "b", "c"]) await cluster.addService(service);
    for (const service of ["a", "b", "c"]) await cluster.expectCondition(service, "True AddressAssigned");
    await cluster.silenceNode("n1");
    await cluster.reviveNode("n1");
    await cluster.addNode("n4");
    await expectFirst("n2");
  });

  test("is announced by another node while that one is away, and moves back when it returns", async () => {
    await pin("n2");
    await expectFirst("n2");
    await cluster.silenceNode("n2");
    await cluster.eventually(async () => assert.notEqual(await firstOwner(), "n2"));
    await cluster.reviveNode("n2");
    await expectFirst("n2");
  });

  test("stays where it is if there is no such node", async () => {
    const before = (await firstOwner()) ?? "";
    await pin("nosuch");
    await expectFirst(before);
  });
});
