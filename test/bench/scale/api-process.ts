import { setImmediate as nextTurn } from "node:timers/promises";
import type { V1Service } from "@kubernetes/client-node";
import { groupVersion } from "../../../src/api/api.ts";
import { componentLabel, speakerComponent } from "../../../src/api/labels.ts";
import { speakerLeaseName } from "../../../src/api/speaker.ts";
import { systemClock } from "../../../src/clock/clock.ts";
import type { FakeApiServer } from "../../../src/kube/fake.ts";
import { collections, leasePath, ownPath, servicePath } from "../../../src/kube/path.ts";
import { Cluster } from "../../unit/controller/fake-cluster/cluster.ts";
import { serveFake } from "../../unit/src/kube/serve-fake.ts";
import type { ApiCommand, ApiReply, ScaleSize } from "./messages.ts";

/**
 * An API server in memory, in a process of its own, so that its work is not measured. It has nodes on one LAN, pools, and Services with
 * addresses and owners as a controller leaves them. Obeys messages of its parent.
 */
const size = JSON.parse(process.argv[2] ?? "{}") as ScaleSize;
const namespace = "bellhop-system";
const mergePatch = "application/merge-patch+json";

function nodeName(index: number): string {
  return `node-${String(index).padStart(5, "0")}`;
}

async function addNode(server: FakeApiServer, index: number): Promise<void> {
  const name = nodeName(index);
  await server.request({ method: "POST", path: "/api/v1/nodes", body: { metadata: { name } } });
  const address = `10.0.${index >> 8}.${index & 255}/16`;
  const interfaces = [{ name: "eth0", mac: "02:00:00:00:00:01", up: true, addresses: [address] }];
  await server.request({ method: "POST", path: ownPath("speakers"), body: { metadata: { name } } });
  await server.request({
    method: "PATCH",
    path: `${ownPath("speakers", name)}/status`,
    body: { status: { interfaces } },
    contentType: mergePatch,
  });
  const body = {
    metadata: { name: speakerLeaseName(name), labels: { [componentLabel]: speakerComponent } },
    // Never renewed: renewals are other people's work.
    spec: { holderIdentity: name, leaseDurationSeconds: 36_000, renewTime: "2026-01-01T00:00:00.000000Z" },
  };
  await server.request({ method: "POST", path: leasePath(namespace), body });
}

/** Assigns all addresses with a controller of this process and three nodes, then spreads the owners over all nodes. */
async function fill(): Promise<FakeApiServer> {
  const cluster = new Cluster(systemClock);
  const { server } = cluster;
  for (let index = 0; index < 3; index++) await addNode(server, index);
  await cluster.addPool("lan", ["10.0.128.0-10.0.255.255"]);
  for (let index = 0; index < size.services; index++) await cluster.addService(`s${index}`);
  await cluster.start({ workers: 64 });
  while ((await cluster.virtualIps()).length < size.services) await cluster.pass(500);
  await cluster.pass(5_000);
  await cluster.stopAll();
  for (let index = 3; index < size.nodes; index++) await addNode(server, index);
  for (const [index, { metadata }] of (await cluster.virtualIps()).entries()) {
    const owners = [0, 1, 2].map((step) => nodeName((index + step) % size.nodes));
    const path = ownPath("virtualips", metadata.name);
    await server.request({ method: "PATCH", path, body: { spec: { owners } }, contentType: mergePatch });
  }
  for (let index = 0; index < size.pools; index++) await addPool(server, index);
  server.compact();
  server.requests.length = 0;
  server.offersWatchList = true;
  return server;
}

async function addPool(server: FakeApiServer, index: number): Promise<void> {
  const spec = { addresses: [`172.${16 + (index >> 12)}.${(index >> 4) & 255}.${(index & 15) * 16}/28`] };
  const body = { apiVersion: groupVersion, kind: "IPAddressPool", metadata: { name: `pool-${index}` }, spec };
  await server.request({ method: "POST", path: ownPath("ipaddresspools"), body });
}

/** So that the controller's lease is renewed meanwhile. */
const changesPerTurn = 20;

/** Requests of this process, which do not count. */
const own = { reads: 0, writes: 0 };

/** A change that each watch would show, and that means nothing to the controller. */
async function changeAll(server: FakeApiServer): Promise<void> {
  const body = { metadata: { annotations: { bench: String(Date.now()) } } };
  for (const collection of [collections.services, ownPath("virtualips")]) {
    const { body: list } = await server.request({ method: "GET", path: collection });
    own.reads++;
    for (const { metadata } of (list as { items: V1Service[] }).items) {
      const { namespace: place, name = "" } = metadata ?? {};
      const path = place === undefined ? `${collection}/${name}` : servicePath(place, name);
      await server.request({ method: "PATCH", path, body, contentType: mergePatch });
      if (++own.writes % changesPerTurn === 0) await nextTurn();
    }
  }
}

function isLeaderLease(path: string): boolean {
  return path === leasePath(namespace, "bellhop-controller");
}

let lost = 0;

const commands: Readonly<Record<ApiCommand, (server: FakeApiServer) => Promise<unknown>>> = {
  loseNode: (server) =>
    server.request({
      method: "PATCH",
      path: leasePath(namespace, speakerLeaseName(nodeName(size.nodes - ++lost))),
      body: { spec: { holderIdentity: "" } },
      contentType: mergePatch,
    }),
  labelNode: (server) =>
    server.request({
      method: "PATCH",
      path: `/api/v1/nodes/${nodeName(0)}`,
      body: { metadata: { labels: { bench: String(Date.now()) } } },
      contentType: mergePatch,
    }),
  editPool: (server) =>
    server.request({
      method: "PATCH",
      path: ownPath("ipaddresspools", "lan"),
      body: { metadata: { labels: { bench: String(Date.now()) } } },
      contentType: mergePatch,
    }),
  expireWatches: async (server) => {
    server.compact();
    server.sendError(410, "Expired");
  },
  expireWatchesAfterChanges: async (server) => {
    const changed = Promise.withResolvers<void>();
    let changing = true;
    server.sendError(410, "Expired");
    // Only the controller has to wait, and not with its lease.
    server.intercept = ({ method, path, query }) =>
      changing && method === "GET" && query !== undefined && !isLeaderLease(path) ? changed.promise : undefined;
    await changeAll(server);
    server.compact();
    changing = false;
    changed.resolve();
  },
  refuseWatchLists: async (server) => {
    server.offersWatchList = false;
  },
  count: async () => undefined,
};

const server = await fill();
const served = await serveFake(server);
process.on("message", (command: ApiCommand) => {
  void commands[command](server).then(() => {
    const { requests } = server;
    const writes = requests.filter(({ method, path }) => method !== "GET" && !path.includes("/leases")).length;
    const reads = requests.filter(({ method, path }) => method === "GET" && !isLeaderLease(path)).length;
    process.send?.({ writes: writes - own.writes, reads: reads - own.reads } satisfies ApiReply);
  });
});
process.on("disconnect", () => process.exit());
process.send?.({ url: served.url } satisfies ApiReply);
