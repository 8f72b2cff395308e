import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ownPath } from "../../../../src/kube/path.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const address = "192.0.2.10";
const path = ownPath("virtualips", address);

const cluster = useCluster(async (cluster) => {
  await cluster.addNode("n1");
  await cluster.addPool("lan", [`${address}-192.0.2.12`]);
});

async function patch(body: Record<string, unknown>, subresource = ""): Promise<void> {
  await cluster.patch(`${path}${subresource}`, body);
}

/** What another client writes into the VirtualIP while the controller is about to delete it. */
const kept: Readonly<Record<string, () => Promise<void>>> = {
  "makes it a reservation": () => patch({ metadata: { labels: null }, spec: { services: [] } }),
  "makes it a reservation for the Service": () =>
    patch({ metadata: { labels: null }, spec: { services: [{ namespace: "default", name: "web" }] } }),
  "assigns it to another Service": async () => {
    await cluster.addService("other", { loadBalancerIP: address });
    const uid = (await cluster.service("other"))?.metadata?.uid;
    await patch({ spec: { services: [{ namespace: "default", name: "other", uid }] } });
  },
  "writes what its schema does not allow": () => patch({ spec: { services: [{ namespace: "default", name: 7 }] } }),
  "deletes it and creates a reservation of its name": async () => {
    await cluster.server.request({ method: "DELETE", path });
    await cluster.addVirtualIp(address, { address, services: [] });
  },
};

const deleted: Readonly<Record<string, () => Promise<void>>> = {
  "reports in its status": () => patch({ status: { conditions: [] } }, "/status"),
  "annotates it": () => patch({ metadata: { annotations: { note: "text" } } }),
  "deletes it": async () => {
    await cluster.server.request({ method: "DELETE", path });
  },
};

/** Lets the write happen just before the controller's first request to delete the VirtualIP, and resolves to the object that is left. */
async function releaseWhile(write: () => Promise<void>): Promise<unknown> {
  await cluster.start();
  await cluster.addService("web");
  await cluster.expectCondition("web", "True AddressAssigned");
  await cluster.idle();
  let writes = 0;
  cluster.server.intercept = async (request) => {
    if (request.method !== "DELETE" || request.path !== path || writes > 0) return;
    writes++;
    await write();
  };
  await cluster.deleteService("web");
  await cluster.eventually(async () => assert.equal(await cluster.service("web"), undefined));
  await cluster.idle();
  assert.equal(writes, 1);
  return (await objects()).find(({ metadata }) => metadata.name === address);
}

async function objects(): Promise<readonly { readonly metadata: { readonly name: string } }[]> {
  const { body } = await cluster.server.request({ method: "GET", path: ownPath("virtualips") });
  return (body as { items: readonly { metadata: { name: string } }[] }).items;
}

describe("the VirtualIP of a deleted Service, while the controller is about to delete it,", () => {
  for (const [what, write] of Object.entries(kept)) {
    test(`is kept if another client ${what}`, async () => {
      assert.notEqual(await releaseWhile(write), undefined);
    });
  }

  for (const [what, write] of Object.entries(deleted)) {
    test(`is deleted if another client ${what}`, async () => {
      assert.equal(await releaseWhile(write), undefined);
    });
  }
});
