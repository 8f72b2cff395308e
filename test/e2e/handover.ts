import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "../lab/wait.ts";
import type { Api } from "./api.ts";
import { type RunningLoad, startLoad } from "./client.ts";
import { type Cluster, type ProxyMode, useCluster } from "./cluster.ts";
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

    const newService = new NewService(cluster);
    test("a Service that kube-proxy may not have yet goes straight to pods", () => newService.start());

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

    test("clients that ask every 20 ms notice nothing when kube-proxy takes over the new Service", () =>
      newService.end());
  });
}

/** A Service under load from its first answer until kube-proxy has taken it over, beside other tests: that takes more than a minute. */
class NewService {
  readonly #cluster: () => Cluster;
  #loads: readonly RunningLoad[] = [];
  #host = "";

  constructor(cluster: () => Cluster) {
    this.#cluster = cluster;
  }

  async start(): Promise<void> {
    const { api } = this.#cluster();
    await createService(api, "handover");
    [this.#host = ""] = await api.waitForAddresses("handover");
    const host = this.#host;
    await waitForAnswer(api, host);
    assert.equal(await this.#isProxied(), false, "it is handed over already");
    const [tcp, udp] = [
      { protocol: "tcp", host, port: 80, question: "/hostname" },
      { protocol: "udp", host, port: 80, question: "hostname" },
    ] as const;
    this.#loads = [
      startLoad(api.lab, "client", { target: tcp, intervalMs: 20, timeoutMs: 5_000, longConnections: 5 }),
      startLoad(api.lab, "client", { target: udp, intervalMs: 20, timeoutMs: 5_000 }),
    ];
  }

  async end(): Promise<void> {
    assert.equal(this.#loads.length, 2, "the load was not started");
    await waitFor(
      { what: `kube-proxy to take over ${this.#host}`, timeoutMs: handedOverMs, intervalMs: 500 },
      async () => ((await this.#isProxied()) ? true : undefined),
    );
    await sleep(settledMs);
    for (const load of this.#loads) {
      const { asked, failures, broken } = await load.stop();
      assert.ok(asked > 100, `only ${asked} questions`);
      assert.deepEqual({ failures, broken }, { failures: [], broken: [] });
    }
  }

  async #isProxied(): Promise<boolean> {
    const family = this.#host.includes(":") ? "ip6" : "ip";
    const { stdout } = await this.#cluster().api.lab.exec("n1", [
      "nft",
      "list",
      "set",
      family,
      "bellhop",
      "proxied_services",
    ]);
    return stdout.includes(this.#host);
  }
}

async function renumbered(api: Api, name: string): Promise<object> {
  const { spec } = await api.get("v1", "Service", name);
  const allocated: { readonly port: number; readonly nodePort: number }[] = spec.ports;
  return { spec: { ports: allocated.map(({ nodePort: _, ...port }, at) => ({ ...port, nodePort: 32_700 + at })) } };
}
