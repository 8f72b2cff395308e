import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { groupVersion } from "../../src/api/api.ts";
import { ownPath } from "../../src/kube/path.ts";
import { ApiServer } from "./api-server.ts";
import { Lan } from "./lan.ts";
import { skipReason } from "./namespace.ts";
import { patiently } from "./patience.ts";
import type { Program } from "./program.ts";

const address = "192.0.2.200";
const names = ["n1", "n2", "n3"] as const;
/** A choice between two pods that is even misses one of them so many times in a row once in a million. */
const enough = 20;

const skip = skipReason() ?? false;
describe("the programs of a node are frozen, and its kernel forwards", { skip }, () => {
  let lan: Lan;
  const folder = mkdtempSync(join(tmpdir(), "bellhop-frozen-"));
  const ends: (() => void)[] = [];
  const apis: ApiServer[] = [];
  const speakers: Program[] = [];
  let kubelet: Program;
  before(async () => {
    lan = await Lan.create({ count: 3 });
    ends.push(() => lan.destroy());
    const macs = await Promise.all(lan.nodes.map((node) => node.sh("cat /sys/class/net/eth0/address")));
    const key = randomBytes(32).toString("base64");
    for (const [index, name] of names.entries()) {
      const node = lan.nodes[index];
      assert.ok(node !== undefined);
      const api = await ApiServer.start(node, name);
      ends.unshift(() => api.destroy());
      await fill(api, name, key, macs);
      apis.push(api);
      const program = await lan.start(node, "kubelet.ts", []);
      if (name === "n1") kubelet = program;
    }
    for (const [index, api] of apis.entries())
      speakers.push(api.startBellhop("speaker", "--state-directory", join(folder, `n${index + 1}`)));
    await eventually("n1 announces, and the others hear it", async () => {
      const heard = await Promise.all(apis.slice(1).map((api, index) => peersOf(api, `n${index + 2}`)));
      return heard.every((peers) => peers?.hearing?.includes("n1")) && (await answering()).has("pod2");
    });
  });
  after(() => {
    for (const speaker of speakers) speaker.signal("SIGCONT");
    for (const end of ends) end();
    rmSync(folder, { recursive: true });
  });

  interface Peers {
    readonly hearing?: readonly string[];
    readonly deadNodes?: readonly string[];
    readonly frozenNodes?: readonly string[];
  }

  /** What the cluster's API says to the speaker of the node. */
  async function fill(api: ApiServer, name: string, key: string, macs: readonly string[]): Promise<void> {
    if (name !== "n1") await api.post("/api/v1/nodes", { metadata: { name } });
    const slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
    const endpoints = [1, 2].map((number) => ({
      addresses: [`10.244.${number}.2`],
      nodeName: `n${number}`,
      conditions: { ready: true },
    }));
    await api.patch(`${slices}/web-ipv4`, { endpoints });
    await api.patch(ownPath("virtualips", address), { spec: { owners: names } });
    for (const [index, mac] of macs.entries())
      await api.post(ownPath("speakeridentities"), {
        apiVersion: groupVersion,
        kind: "SpeakerIdentity",
        metadata: { name: `n${index + 1}` },
        spec: { addresses: [`192.0.2.1${index + 1}`], port: 7482, macs: [mac.trim()] },
      });
    await api.post("/api/v1/namespaces/bellhop-system/secrets", {
      metadata: { name: "bellhop-heartbeat", namespace: "bellhop-system" },
      data: { current: key },
    });
  }

  async function peersOf(api: ApiServer | undefined, name: string): Promise<Peers | undefined> {
    assert.ok(api !== undefined);
    interface Listed {
      readonly metadata: { readonly name: string };
      readonly status?: { readonly peers?: Peers };
    }
    const { items } = await api.get<{ items: readonly Listed[] }>(ownPath("speakers"));
    return items.find(({ metadata }) => metadata.name === name)?.status?.peers;
  }

  /** Which pods answer. */
  async function answering(): Promise<ReadonlySet<string>> {
    const answers = await lan.ask("tcp", address, 80, enough);
    return new Set(answers.map((answer) => answer.split(" ")[0] ?? ""));
  }

  async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
    for (let attempt = 0; !(await isSo().catch(() => false)); attempt++) {
      assert.ok(attempt < patiently(600), what);
      await sleep(100);
    }
  }

  test("while its kubelet answers, its pods stay in the rules", async () => {
    speakers[0]?.signal("SIGSTOP");
    await eventually(
      "the speaker of n1 is dead",
      async () => (await peersOf(apis[1], "n2"))?.hearing?.includes("n1") === false,
    );
    await sleep(3000);
    assert.deepEqual((await peersOf(apis[1], "n2"))?.deadNodes, []);
    assert.deepEqual([...(await answering())].sort(), ["pod1", "pod2"]);
    speakers[0]?.signal("SIGCONT");
    await eventually("n1 is heard", async () => (await peersOf(apis[1], "n2"))?.hearing?.includes("n1") === true);
  });

  test("once its kubelet does not answer, they leave the rules, until it continues", async () => {
    speakers[0]?.signal("SIGSTOP");
    kubelet.signal("SIGSTOP");
    for (const [index, name] of [
      [1, "n2"],
      [2, "n3"],
    ] as const)
      await eventually(`${name} counts n1 as frozen`, async () => {
        const peers = await peersOf(apis[index], name);
        return peers?.deadNodes?.join() === "n1" && peers.frozenNodes?.join() === "n1";
      });
    // The report does not wait for the rules.
    await eventually("its pod takes no connections", async () => [...(await answering())].join() === "pod2");
    kubelet.signal("SIGCONT");
    speakers[0]?.signal("SIGCONT");
    await eventually("its pod takes connections again", async () => (await answering()).has("pod1"));
    await eventually("n2 reports it", async () => (await peersOf(apis[1], "n2"))?.frozenNodes?.length === 0);
  });
});
