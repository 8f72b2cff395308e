import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { DrainReport } from "../../controller/moves/drain-node.ts";
import type { MoveReport } from "../../controller/moves/move-address.ts";
import { waitFor } from "../lab/wait.ts";
import { bellhopInPod } from "../product/controller-pod.ts";
import { startLoad } from "./client.ts";
import { useCluster } from "./cluster.ts";
import { waitForAnswer } from "./forwarding.ts";
import { createService, startWeb } from "./workload.ts";

const ipv4Only = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] };
/** How long a pod that is deleted serves. */
const drainingSeconds = 15;
const names = ["moves-a", "moves-b", "moves-c"];

describe("bellhop move and bellhop drain", () => {
  const cluster = useCluster("nftables", "moves");
  let addresses: readonly string[] = [];

  before(async () => {
    const { api } = cluster();
    await startWeb(api);
    for (const name of names) await createService(api, name, ipv4Only);
    addresses = (await Promise.all(names.map((name) => api.waitForAddresses(name, 30_000)))).flat();
    for (const address of addresses)
      await waitFor({ what: "an announcer", timeoutMs: 30_000 }, () => announcer(address));
  });
  after(async () => {
    const { lab } = cluster();
    await lab.kubectl(["uncordon", ...lab.nodes]);
    for (const node of lab.nodes) await bellhop(["undrain", node]);
  });

  function bellhop(args: readonly string[]) {
    return cluster().lab.exec("control", ["kubectl", ...bellhopInPod(args)]);
  }

  async function announcer(address: string): Promise<string | undefined> {
    return (await cluster().api.find("bellhop.dev/v1beta1", "VirtualIP", address))?.status?.node;
  }

  test("an address moves to each node and stays there; another one is refused; the pin is shown and removed", async () => {
    const { api, lab } = cluster();
    const [address = ""] = addresses;
    for (const node of lab.nodes) {
      const answer = await bellhop(["move", address, node, "-o", "json"]);
      assert.equal(answer.code, 0, `${answer.stdout}${answer.stderr}`);
      const report = JSON.parse(answer.stdout) as MoveReport;
      assert.deepEqual([report.announcedBy, report.pinnedTo], [node, node]);
      assert.equal(await announcer(address), node);
      await waitForAnswer(api, address);
    }
    const refused = await bellhop(["move", address, "nosuch"]);
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /NodeCannotAnnounce/);
    const pinned = lab.nodes.at(-1) ?? "";
    const table = await lab.kubectl(["get", "virtualips", address, "-o", "wide"]);
    assert.match(table, new RegExp(String.raw`PINNED TO[\s\S]*${pinned}`));
    assert.equal((await bellhop(["move", address, "--auto"])).code, 0);
    assert.match((await bellhop(["move", address])).stdout, /not pinned/);
    assert.equal(await announcer(address), pinned);
  });

  test("a drained node loses its addresses and gets no others until it is undrained; so does a cordoned one", async () => {
    const { api, lab } = cluster();
    const [address = ""] = addresses;
    const node = (await announcer(address)) ?? "";
    const answer = await bellhop(["drain", node, "-o", "json"]);
    assert.equal(answer.code, 0, `${answer.stdout}${answer.stderr}`);
    const report = JSON.parse(answer.stdout) as DrainReport;
    assert.ok(report.moved > 0);
    assert.deepEqual(report.left, []);
    for (const one of addresses) {
      assert.notEqual(await announcer(one), node);
      await waitForAnswer(api, one);
    }
    assert.match(await lab.kubectl(["get", "speakers", node]), /DRAINED[\s\S]*true/);
    assert.equal((await bellhop(["undrain", node])).code, 0);
    const other = (await announcer(address)) ?? "";
    await lab.kubectl(["cordon", other]);
    await waitFor({ what: "the address to leave the cordoned node", timeoutMs: 30_000 }, async () => {
      const now = await announcer(address);
      return now !== undefined && now !== other ? now : undefined;
    });
    await waitForAnswer(api, address);
    await lab.kubectl(["uncordon", other]);
  });

  for (const [words, name, spec, annotations] of [
    ["by kube-proxy's rules", "draining-proxied", {}, { "bellhop.dev/forwarding": "kube-proxy" }],
    ["straight to pods", "draining-direct", { allocateLoadBalancerNodePorts: false }, {}],
  ] as const) {
    test(`under externalTrafficPolicy Local, ${words}, a pod that terminates moves the address and breaks no connection`, async () => {
      const { api, lab } = cluster();
      await startWeb(api, name, {}, drainingSeconds);
      await createService(api, name, { ...spec, externalTrafficPolicy: "Local" }, name, { annotations });
      const hosts = await api.waitForAddresses(name, 30_000);
      for (const host of hosts) await waitForAnswer(api, host);
      const before = new Map<string, string>();
      for (const host of hosts) before.set(host, (await announcer(host)) ?? "");
      const loads = hosts.map((host) =>
        startLoad(lab, "client", {
          target: { protocol: "tcp", host, port: 80, question: "/hostname" },
          intervalMs: 50,
          timeoutMs: 5_000,
          longConnections: 5,
        }),
      );
      try {
        await sleep(1_000);
        const pods = (await api.list("v1", "Pod")).filter(
          ({ metadata, spec: { nodeName } }) =>
            metadata.labels?.app === name && nodeName === before.get(hosts[0] ?? ""),
        );
        assert.equal(pods.length, 1);
        const moving = hosts.filter((host) => before.get(host) === pods[0]?.spec.nodeName);
        await lab.kubectl(["-n", api.namespace, "delete", "pod", pods[0]?.metadata.name ?? "", "--wait=false"]);
        for (const host of moving) {
          await waitFor({ what: `another node to announce ${host}`, timeoutMs: 8_000 }, async () => {
            const now = await announcer(host);
            return now !== undefined && now !== before.get(host) ? now : undefined;
          });
        }
        // The old connections go on while the pod serves.
        await sleep(2_000);
      } finally {
        const reports = await Promise.all(loads.map((load) => load.stop()));
        for (const { failures, broken, longAnswers } of reports) {
          assert.deepEqual({ failures, broken }, { failures: [], broken: [] });
          assert.ok(longAnswers > 50, `${longAnswers} answers over open connections`);
        }
      }
    });
  }

  test("when a cable is pulled, the owner list follows the node that took over", async () => {
    const { api, lab } = cluster();
    const [address = ""] = addresses;
    const node = (await announcer(address)) ?? "";
    const virtualIp = () => api.get("bellhop.dev/v1beta1", "VirtualIP", address);
    await lab.cutNode(node);
    try {
      const next = await waitFor({ what: "the list to follow", timeoutMs: 30_000 }, async () => {
        const { spec, status } = await virtualIp();
        return status.node !== node && spec.owners[0] === status.node ? (status.node as string) : undefined;
      });
      await waitForAnswer(api, address);
      const { status } = await virtualIp();
      assert.deepEqual([status.node, status.cause], [next, "PeerDead"]);
    } finally {
      await lab.restoreNode(node);
    }
    // Balanced again once all nodes are back; then each address is where its list says.
    await waitFor({ what: "lists that begin with their announcers", timeoutMs: 60_000 }, async () => {
      const found = await Promise.all(addresses.map((one) => api.get("bellhop.dev/v1beta1", "VirtualIP", one)));
      return found.every(({ spec, status }) => spec.owners[0] === status.node) ? true : undefined;
    });
    for (const one of addresses) await waitForAnswer(api, one);
  });
});
