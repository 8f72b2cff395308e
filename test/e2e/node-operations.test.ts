import assert from "node:assert/strict";
import { once } from "node:events";
import { before, describe, test } from "node:test";
import { leaderLeaseName } from "../../src/api/labels.ts";
import { askApi } from "../lab/api.ts";
import type { Lab } from "../lab/lab.ts";
import { waitFor } from "../lab/wait.ts";
import { productNamespace } from "../product/install.ts";
import type { Api, ApiObject } from "./api.ts";
import { useCluster } from "./cluster.ts";
import { waitForAnswer } from "./forwarding.ts";
import { killComponent, listPods } from "./kill.ts";
import { createService, startWeb } from "./workload.ts";

const metricsPort = 7481;
const leases = `/apis/coordination.k8s.io/v1/namespaces/${productNamespace}/leases`;

describe("what administrators do to nodes", () => {
  const cluster = useCluster("nftables", "node-operations");

  before(async () => {
    await startWeb(cluster().api);
  });

  /** The pod of the leader, and its node. Undefined while there is none. */
  async function findLeader(): Promise<{ readonly pod: string; readonly node: string } | undefined> {
    const { api, lab } = cluster();
    const lease = await lab.api<ApiObject>("GET", `${leases}/${leaderLeaseName}`);
    const holder: string = lease.spec.holderIdentity ?? "";
    const pods = (await listPods(api, "controller")).items;
    const leader = pods.find(({ metadata }) => holder.startsWith(`${metadata.name}_`));
    return leader === undefined ? undefined : { pod: leader.metadata.name, node: leader.spec.nodeName };
  }

  async function waitForControllers(): Promise<void> {
    const rollout = ["-n", productNamespace, "rollout", "status", "deployment/bellhop-controller", "--timeout=90s"];
    await cluster().lab.kubectl(rollout, undefined, 100_000);
  }

  test("kubectl drain of the leader's node: the standby leads", async () => {
    const { api, lab } = cluster();
    const before = await waitFor({ what: "a leader", timeoutMs: 30_000 }, findLeader);
    const drain = ["drain", before.node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=90s"];
    try {
      await lab.kubectl(drain, undefined, 100_000);
      await createService(api, "drained");
      for (const host of await api.waitForAddresses("drained", 30_000)) await waitForAnswer(api, host);
      const after = await waitFor({ what: "another leader", timeoutMs: 30_000 }, async () => {
        const leader = await findLeader();
        return leader !== undefined && leader.pod !== before.pod ? leader : undefined;
      });
      assert.notEqual(after.node, before.node);
    } finally {
      await lab.kubectl(["uncordon", before.node]);
    }
    await waitForControllers();
  });

  test("the budget lets one of two controllers be evicted, and the other one only after it is replaced", async () => {
    const { api, lab } = cluster();
    await waitForControllers();
    const controllers = (await listPods(api, "controller")).items.map(({ metadata }) => metadata);
    const lasting = controllers.filter(({ deletionTimestamp }) => deletionTimestamp === undefined);
    const [first, second] = lasting.map(({ name }) => name);
    try {
      await lab.kubectl(["cordon", ...lab.nodes]);
      assert.equal(await evict(lab, first ?? ""), 201);
      assert.equal(await evict(lab, second ?? ""), 429);
    } finally {
      await lab.kubectl(["uncordon", ...lab.nodes]);
    }
    await waitForControllers();
  });

  test("a node whose port 7481 is taken announces as before, says so, and serves metrics once the port is free", async () => {
    const { api, lab } = cluster();
    const node = "n2";
    const names = Array.from({ length: 6 }, (_, index) => `taken-${index}`);
    for (const name of names) await createService(api, name);
    const hosts = (await Promise.all(names.map((name) => api.waitForAddresses(name, 30_000)))).flat();
    const announced = await waitFor({ what: `an address on ${node}`, timeoutMs: 30_000 }, async () =>
      (await announcedBy(api, node)).find((address) => hosts.includes(address)),
    );
    const thief = lab.spawnInNetwork(node, [process.execPath, "-e", takePort(metricsPort)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const taken = once(thief.stdout ?? assert.fail("no output"), "data");
    try {
      assert.equal(await killComponent(api, "speaker", node), 1);
      await taken;
      await waitFor({ what: "the message", timeoutMs: 60_000 }, async () =>
        (await speakerLog(api, node)).includes("metrics and probes cannot be served yet"),
      );
      assert.match(await speakerLog(api, node), /EADDRINUSE.*7481|7481.*EADDRINUSE/);
      const renewed = await renewTime(lab, node);
      await waitFor({ what: `the Lease of ${node} to be renewed`, timeoutMs: 20_000 }, async () =>
        (await renewTime(lab, node)) === renewed ? undefined : true,
      );
      for (const host of hosts) await waitForAnswer(api, host);
      const speakers = (await listPods(api, "speaker")).items.filter(({ spec }) => spec.nodeName !== node);
      assert.ok(speakers.every(({ status }) => status.containerStatuses?.[0]?.ready === true));
    } finally {
      thief.kill("SIGKILL");
    }
    await waitFor({ what: "the metrics", timeoutMs: 120_000, intervalMs: 500 }, async () =>
      (await speakerLog(api, node)).includes("metrics and probes are served now"),
    );
    await waitForAnswer(api, announced);
    await replaceSpeaker(api, node);
  });
});

/** The kubelet restarts a container later that has crashed before, and other files kill speakers too; a new pod has no such past. */
async function replaceSpeaker(api: Api, node: string): Promise<void> {
  const find = async () => (await listPods(api, "speaker")).items.filter(({ spec }) => spec.nodeName === node);
  const [old] = await find();
  await api.lab.kubectl(["-n", productNamespace, "delete", "pod", old?.metadata.name ?? ""]);
  await waitFor({ what: `a new speaker on ${node}`, timeoutMs: 60_000 }, async () => {
    const [pod, ...others] = await find();
    const replaced = others.length === 0 && pod !== undefined && pod.metadata.name !== old?.metadata.name;
    return replaced && pod.status.containerStatuses?.[0]?.ready === true ? true : undefined;
  });
}

async function evict(lab: Lab, pod: string): Promise<number> {
  const path = `/api/v1/namespaces/${productNamespace}/pods/${pod}/eviction`;
  const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: pod, namespace: productNamespace } };
  return (await askApi(lab.apiSocket, "POST", path, body)).status;
}

/** A program that listens on the port as soon as nothing else does. */
function takePort(port: number): string {
  const attempt = `require("node:net").createServer().on("error", () => setTimeout(go, 5)).listen(${port}, "::", () => console.log("taken"))`;
  return `const go = () => ${attempt}; go();`;
}

async function announcedBy(api: Api, node: string): Promise<readonly string[]> {
  const all = await api.list("bellhop.dev/v1beta1", "VirtualIP");
  return all.filter(({ status }) => status?.node === node).map(({ spec }) => spec.address);
}

async function speakerLog(api: Api, node: string): Promise<string> {
  const pod = (await listPods(api, "speaker")).items.find(({ spec }) => spec.nodeName === node)?.metadata.name ?? "";
  return api.lab.kubectl(["-n", productNamespace, "logs", pod]);
}

async function renewTime(lab: Lab, node: string): Promise<string> {
  return (await lab.api<ApiObject>("GET", `${leases}/speaker-${node}`)).spec.renewTime;
}
