import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAddress } from "../../src/ip/address.ts";
import { waitFor } from "../lab/wait.ts";
import { bellhopInPod } from "../product/controller-pod.ts";
import { useCluster } from "./cluster.ts";

const cluster = useCluster("nftables", "heartbeat-key");
const own = ["-n", "bellhop-system"] as const;

interface Identity {
  readonly metadata: { readonly name: string; readonly ownerReferences: readonly { readonly kind: string }[] };
  readonly spec: { readonly addresses: readonly string[]; readonly port: number; readonly macs: readonly string[] };
}

test("each node says where its speaker receives heartbeats, at an address of each family", async () => {
  const { lab } = cluster();
  const answer = await lab.kubectl(["get", "speakeridentities", "-o", "json"]);
  const { items } = JSON.parse(answer) as { readonly items: readonly Identity[] };
  assert.deepEqual(items.map(({ metadata }) => metadata.name).sort(), [...lab.nodes].sort());
  for (const { metadata, spec } of items) {
    assert.deepEqual(
      spec.addresses.map((address) => parseAddress(address)?.family),
      ["IPv4", "IPv6"],
      metadata.name,
    );
    assert.equal(spec.port, 7482);
    assert.match(spec.macs[0] ?? "", /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
    assert.equal(metadata.ownerReferences[0]?.kind, "Node");
  }
  const [header, first] = (await lab.kubectl(["get", "speakeridentities"])).split("\n");
  assert.match(header ?? "", /^NAME +ADDRESS +PORT +AGE/);
  assert.match(first ?? "", /^n1 +\d+\.\d+\.\d+\.\d+ +7482 /);
});

/** Packets of heartbeats that the speaker of a node has received and accepted, and that it has rejected, by reason. */
async function packetsOf(node: string): Promise<Readonly<Record<string, number>>> {
  const { stdout } = await cluster().lab.exec(node, ["curl", "--silent", "http://127.0.0.1:7481/metrics"]);
  const samples = stdout.matchAll(/^bellhop_heartbeat_(?:packets|rejected)_total\{\w+="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries([...samples].map(([, name = "", value]) => [name, Number(value)]));
}

/** What came in on each node while `work` ran: accepted packets, and the names of reasons for which others were rejected. */
async function duringWork(work: () => Promise<unknown>) {
  const { nodes } = cluster().lab;
  const before = await Promise.all(nodes.map(packetsOf));
  await work();
  const after = await Promise.all(nodes.map(packetsOf));
  return after.map((counts, index) => {
    const grown = Object.keys(counts).filter((name) => (counts[name] ?? 0) > (before[index]?.[name] ?? 0));
    const ours = ["sent", "not_sent", "received"];
    const received = (counts.received ?? 0) - (before[index]?.received ?? 0);
    return { received, rejected: grown.filter((name) => !ours.includes(name)), notSent: grown.includes("not_sent") };
  });
}

test("the speakers hear each other, and reject nothing", async () => {
  const { lab } = cluster();
  const isHeard = async (): Promise<boolean> => {
    const found = await Promise.all(lab.nodes.map(packetsOf));
    return found.every(({ received = 0 }) => received > 50);
  };
  await waitFor({ what: "heartbeats at every node", timeoutMs: 20_000 }, isHeard);
  for (const { received, rejected, notSent } of await duringWork(() => sleep(3_000))) {
    assert.ok(received > 10, `${received} packets in 3 s`);
    assert.deepEqual([rejected, notSent], [[], false]);
  }
});

describe("bellhop rotate-key in the pod of the controller", () => {
  const dataOf = async (): Promise<Record<string, string>> => {
    const { lab } = cluster();
    return JSON.parse(await lab.kubectl([...own, "get", "secret", "bellhop-heartbeat", "-o", "json"])).data;
  };
  const rotate = () => cluster().lab.exec("control", ["kubectl", ...bellhopInPod(["rotate-key"])]);
  /** How often the speakers have said that they use other keys. */
  const changesSeen = async (): Promise<number> => {
    const selector = ["-l", "app.kubernetes.io/component=speaker", "--tail=-1"];
    const logs = await cluster().lab.kubectl([...own, "logs", ...selector]);
    return logs.split("\n").filter((line) => line.includes("using other keys of heartbeats")).length;
  };

  test("replaces the key that the controller created, and every speaker uses both", async () => {
    const { lab } = cluster();
    const before = await dataOf();
    assert.deepEqual(Object.keys(before), ["current"]);
    const seen = await changesSeen();
    const heard = async (): Promise<boolean> => (await changesSeen()) >= seen + lab.nodes.length;
    const changes = await duringWork(async () => {
      const { code, stdout } = await rotate();
      assert.equal(code, 0, stdout);
      await waitFor({ what: "every speaker to use the new key", timeoutMs: 20_000 }, heard);
      await sleep(1_000);
    });
    assert.deepEqual(
      changes.map(({ rejected }) => rejected),
      lab.nodes.map(() => []),
      "nodes hear each other all the time",
    );
    const after = await dataOf();
    assert.equal(after.previous, before.current);
    assert.notEqual(after.current, before.current);
    for (const key of Object.values(after)) {
      for (const workload of ["deploy/bellhop-controller", "ds/bellhop-speaker"])
        assert.ok(!(await lab.kubectl([...own, "logs", workload, "--tail=-1"])).includes(key), workload);
    }
  });

  test("refuses to replace it again before that is over", async () => {
    const before = await dataOf();
    const { code, stdout } = await rotate();
    assert.equal(code, 1);
    assert.match(stdout, /The previous rotation is not over/);
    assert.deepEqual(await dataOf(), before);
  });
});
