import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../../../src/clock/fake.ts";
import { countVisits } from "../../count-visits.ts";
import { Cluster } from "../fake-cluster/cluster.ts";

const few = 10;
const many = 1_000;
/** Longer than everything that a change puts off: the status of the pool (1 s), owners, Services that wait. */
const settledMs = 3_000;
const slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
const sixes = { ipFamilies: ["IPv6"] };

function slice(service: string, node: string) {
  return {
    metadata: { name: `${service}-1`, labels: { "kubernetes.io/service-name": service } },
    addressType: "IPv6",
    endpoints: [{ addresses: ["2001:db8:1::1"], nodeName: node, conditions: { ready: true } }],
  };
}

/** How many entries of anything are looked at for the change, by a controller that leads so many Services. */
async function visitsAmong(
  services: number,
  change: (cluster: Cluster, settle: () => Promise<void>) => Promise<void>,
): Promise<number> {
  const clock = new FakeClock();
  const cluster = new Cluster(clock);
  for (const node of ["n1", "n2"]) await cluster.addNode(node);
  await cluster.addPool("lan", ["2001:db8::1:0/112"]);
  for (let index = 0; index < services; index++) await cluster.addService(`s${index}`, sixes);
  await cluster.addService("local", { ...sixes, externalTrafficPolicy: "Local" });
  await cluster.server.request({ method: "POST", path: slices, body: slice("local", "n1") });
  await cluster.start();
  const settle = () => clock.advance(settledMs);
  while ((await cluster.virtualIps()).length <= services) await settle();
  await settle();
  const requests = cluster.server.requests.length;
  const visits = await countVisits(async () => {
    await change(cluster, settle);
    await settle();
  });
  assert.ok(cluster.server.requests.length > requests + 1, "the controller has answered the change");
  const stopped = cluster.stopAll();
  await settle();
  await stopped;
  return visits;
}

const changes: readonly {
  readonly words: string;
  readonly change: (cluster: Cluster, settle: () => Promise<void>) => Promise<void>;
}[] = [
  {
    words: "a Service comes, gets its address, and the pool its count",
    change: (cluster) => cluster.addService("new", sixes),
  },
  {
    words: "a Service goes, and its address with it",
    change: (cluster) => cluster.deleteService("s1"),
  },
  {
    words: "the ready endpoint of a Service under Local moves to another node, and its address with it",
    change: async (cluster) => {
      await cluster.server.request({ method: "PUT", path: `${slices}/local-1`, body: slice("local", "n2") });
    },
  },
  {
    words: "another Service joins an address that is shared",
    change: async (cluster, settle) => {
      const share = { annotations: { "bellhop.dev/share": "front" } };
      const ports = (port: number) => ({ ...sixes, ports: [{ port, protocol: "TCP", nodePort: 30_000 + port }] });
      await cluster.addService("first", ports(80), share);
      await settle();
      await cluster.addService("second", ports(81), share);
    },
  },
  {
    words: "a user's own status of a pool is put right",
    change: async (cluster) => {
      const path = "/apis/bellhop.dev/v1beta1/ipaddresspools/lan/status";
      const body = { status: { assignedIPv6: "7" } };
      await cluster.patch(path, body);
    },
  },
];

describe(`one change costs as much among ${many} Services as among ${few}`, () => {
  for (const { words, change } of changes) {
    test(words, async () => {
      const [little, much] = [await visitsAmong(few, change), await visitsAmong(many, change)];
      // A single look at every Service or claim would be beyond that.
      assert.ok(much < little + many / 2, `${little} entries were looked at among ${few}, ${much} among ${many}`);
    });
  }
});
