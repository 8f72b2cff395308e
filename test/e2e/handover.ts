import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "../lab/wait.ts";
import type { Api } from "./api.ts";
import { startLoad } from "./client.ts";
import { type ProxyMode, useCluster } from "./cluster.ts";
import { waitForAnswer } from "./forwarding.ts";
import { createService, startWeb } from "./workload.ts";

/** Longer than the speaker's default of --kube-proxy-delay-seconds. */
const handedOverMs = 90_000;

/** Long enough for a change to reach speaker and kube-proxy, which writes once a second at the most. */
const settledMs = 3_000;

const ports = [
  { name: "http", protocol: "TCP", port: 80, targetPort: 8080 },
  { name: "dgram", protocol: "UDP", port: 80, targetPort: 8080 },
];

const changes = [
  {
    words: "node ports are added",
    before: { allocateLoadBalancerNodePorts: false },
    patch: { spec: { allocateLoadBalancerNodePorts: true } },
  },
  { words: "node ports are renumbered", before: {}, patch: "renumber" },
  {
    words: "forwarding changes from kube-proxy to pods",
    before: {},
    patch: { metadata: { annotations: { "bellhop.dev/forwarding": "pods" } } },
  },
  {
    words: "forwarding changes from pods to kube-proxy",
    before: {},
    annotations: { "bellhop.dev/forwarding": "pods" },
    patch: { metadata: { annotations: { "bellhop.dev/forwarding": null } } },
  },
] as const;

/** What clients notice when another way delivers a port: nothing. */
export function testHandover(proxy: ProxyMode): void {
  describe(`changes of the way beside kube-proxy in ${proxy} mode`, () => {
    const cluster = useCluster(proxy, "handover");
    before(() => startWeb(cluster().api));

    test("a client that asks every 20 ms notices nothing while kube-proxy takes over a new Service", async () => {
      const { api } = cluster();
      await createService(api, "handover");
      const [host = ""] = await api.waitForAddresses("handover");
      await waitForAnswer(api, host);
      const family = host.includes(":") ? "ip6" : "ip";
      const listed = async (set: string): Promise<boolean> => {
        const { stdout } = await api.lab.exec("n1", ["nft", "list", "set", family, "bellhop", set]);
        return stdout.includes(host);
      };
      assert.equal(await listed("proxied_services"), false, "it is handed over already");
      const loads = [
        startLoad(api.lab, "client", {
          target: { protocol: "tcp", host, port: 80, question: "/hostname" },
          intervalMs: 20,
          timeoutMs: 5_000,
          longConnections: 5,
        }),
        startLoad(api.lab, "client", {
          target: { protocol: "udp", host, port: 80, question: "hostname" },
          intervalMs: 20,
          timeoutMs: 5_000,
        }),
      ];
      await waitFor({ what: `kube-proxy to take over ${host}`, timeoutMs: handedOverMs, intervalMs: 500 }, async () =>
        (await listed("proxied_services")) ? true : undefined,
      );
      await sleep(settledMs);
      for (const load of loads) {
        const { asked, failures, broken } = await load.stop();
        assert.ok(asked > 100, `only ${asked} questions`);
        assert.deepEqual({ failures, broken }, { failures: [], broken: [] });
      }
    });

    for (const [index, change] of changes.entries()) {
      test(`${change.words}: no open connection ends, and no new one is refused`, async () => {
        const { api } = cluster();
        const name = `changed-${index}`;
        const metadata = "annotations" in change ? { annotations: change.annotations } : {};
        await createService(api, name, { ports, ...change.before }, "web", metadata);
        const [host = ""] = await api.waitForAddresses(name);
        await waitForAnswer(api, host);
        await sleep(settledMs);
        const load = startLoad(api.lab, "client", {
          target: { protocol: "tcp", host, port: 80, question: "/hostname" },
          intervalMs: 20,
          timeoutMs: 5_000,
          longConnections: 9,
        });
        await sleep(500);
        const body = change.patch === "renumber" ? await renumbered(api, name) : change.patch;
        await api.lab.kubectl([
          "-n",
          api.namespace,
          "patch",
          "service",
          name,
          "--type=merge",
          "-p",
          JSON.stringify(body),
        ]);
        await sleep(settledMs);
        const { failures, broken } = await load.stop();
        assert.deepEqual({ failures, broken }, { failures: [], broken: [] });
      });
    }

    test("a port that is renumbered, and a Service that is a LoadBalancer no longer, end no open connection", async () => {
      const { api } = cluster();
      for (const [name, spec] of [
        ["port-changes", { ports: [{ ...ports[0], port: 81 }] }],
        ["type-changes", { type: "NodePort", ports }],
      ] as const) {
        await createService(api, name, { ports });
        const [host = ""] = await api.waitForAddresses(name);
        await waitForAnswer(api, host);
        const load = startLoad(api.lab, "client", {
          target: { protocol: "tcp", host, port: 80, question: "/hostname" },
          intervalMs: 100,
          timeoutMs: 1_000,
          longConnections: 9,
        });
        await sleep(500);
        await api.lab.kubectl([
          ...["-n", api.namespace, "patch", "service", name, "--type=merge"],
          ...["-p", JSON.stringify({ spec })],
        ]);
        await sleep(settledMs);
        const { broken, longAnswers } = await load.stop();
        assert.deepEqual(broken, [], name);
        assert.ok(longAnswers > 9, name);
      }
    });
  });
}

async function renumbered(api: Api, name: string): Promise<object> {
  const { spec } = await api.get("v1", "Service", name);
  const allocated: { readonly port: number; readonly nodePort: number }[] = spec.ports;
  return { spec: { ports: allocated.map(({ nodePort: _, ...port }, at) => ({ ...port, nodePort: 32_700 + at })) } };
}
