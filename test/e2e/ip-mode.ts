import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { inUrl } from "../lab/addresses.ts";
import { waitFor } from "../lab/wait.ts";
import { type ProxyMode, useCluster } from "./cluster.ts";
import { assertAnswers, waitForAnswer } from "./forwarding.ts";
import { assertRefuses, waitForAnnouncement } from "./refusal.ts";
import { createService, startWeb } from "./workload.ts";

const proxyMode = { annotations: { "bellhop.dev/forwarding": "nodeport", "bellhop.dev/ip-mode": "Proxy" } };
const protocols = ["tcp", "udp"] as const;
const families = ["IPv4", "IPv6"] as const;

interface Pod {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly nodeName: string };
  readonly status: { readonly podIPs: readonly { readonly ip: string }[] };
}

interface DialAnswer {
  readonly responses?: readonly string[];
  readonly errors?: readonly string[];
}

/** Addresses that the status shows with ipMode Proxy, beside kube-proxy in one mode. */
export function testIpMode(proxy: ProxyMode): void {
  describe(`ipMode Proxy beside kube-proxy in ${proxy} mode`, () => {
    const cluster = useCluster(proxy, "ip-mode");
    let addresses: readonly string[] = [];

    before(async () => {
      const { api } = cluster();
      await startWeb(api);
      await startWeb(api, "one", { "kubernetes.io/hostname": "n2" });
      await createService(api, "proxy", {}, "web", proxyMode);
      addresses = await api.waitForAddresses("proxy");
      for (const host of addresses) await waitForAnswer(api, host);
    });

    /** The pods of the DaemonSet on every node, which connect to what they are told. */
    async function podOn(node: string): Promise<Pod> {
      const pods = (await cluster().api.list("v1", "Pod")) as unknown as readonly Pod[];
      const found = pods.find(({ metadata, spec }) => metadata.name.startsWith("web-") && spec.nodeName === node);
      assert.ok(found, `a pod on ${node}`);
      return found;
    }

    /** Connections by a pod on the node: the pod is asked for them over its own address. */
    async function dial(node: string, protocol: "tcp" | "udp", host: string, tries: number): Promise<DialAnswer> {
      const pod = await podOn(node);
      const by = protocol === "tcp" ? "http" : "udp";
      const query = `host=${encodeURIComponent(host)}&port=80&request=hostname&protocol=${by}&tries=${tries}`;
      const url = `http://${pod.status.podIPs[0]?.ip}:8080/dial?${query}`;
      const { code, stdout, stderr } = await cluster().lab.exec(node, ["curl", "--silent", "--max-time", "60", url]);
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout) as DialAnswer;
    }

    async function assertPodAnswers(node: string, protocol: "tcp" | "udp", host: string): Promise<void> {
      const { responses = [], errors = [] } = await dial(node, protocol, host, 10);
      assert.deepEqual(errors, [], `a pod on ${node} → ${protocol} [${host}]:80`);
      assert.equal(responses.length, 10);
      for (const answer of responses) assert.match(answer, /^(web|one)-[a-z0-9]{5}$/);
    }

    test("the status says so, and kube-proxy has no rules for the address", async () => {
      const { api, lab } = cluster();
      const service = await api.get("v1", "Service", "proxy");
      const shown: readonly { ip: string; ipMode: string }[] = service.status.loadBalancer.ingress;
      assert.deepEqual(
        shown.map(({ ip, ipMode }) => [ip, ipMode]),
        addresses.map((ip) => [ip, "Proxy"]),
      );
      const [ipv4 = "", ipv6 = ""] = addresses;
      for (const node of lab.nodes) {
        for (const [family, tool, address] of [
          ["ip", "iptables-save", ipv4],
          ["ip6", "ip6tables-save", ipv6],
        ] as const) {
          const argv = proxy === "nftables" ? ["nft", "list", "table", family, "kube-proxy"] : [tool, "-t", "nat"];
          await waitFor(
            { what: `kube-proxy on ${node} to have no rules for ${address}`, timeoutMs: 15_000 },
            async () => {
              const { code, stdout } = await lab.exec(node, argv);
              assert.equal(code, 0);
              return !stdout.includes(`${address} `) && !stdout.includes(`${address}/`);
            },
          );
        }
      }
    });

    for (const protocol of protocols) {
      for (const [index, family] of families.entries()) {
        const question = protocol === "tcp" ? "/hostname" : "hostname";
        for (const from of ["client", "remote"]) {
          test(`${protocol.toUpperCase()} over ${family} from ${from}`, async () => {
            await assertAnswers(cluster().api, from, { protocol, host: addresses[index] ?? "", port: 80, question });
          });
        }
        test(`${protocol.toUpperCase()} over ${family} from every node, announcing or not`, async () => {
          for (const node of cluster().lab.nodes)
            await assertAnswers(cluster().api, node, { protocol, host: addresses[index] ?? "", port: 80, question });
        });
        test(`${protocol.toUpperCase()} over ${family} from a pod on every node`, async () => {
          for (const node of cluster().lab.nodes) await assertPodAnswers(node, protocol, addresses[index] ?? "");
        });
      }
    }

    test("under externalTrafficPolicy Local, clients in the cluster reach a pod on another node", async () => {
      const { api, lab } = cluster();
      await createService(api, "local", { externalTrafficPolicy: "Local" }, "one", proxyMode);
      for (const host of await api.waitForAddresses("local")) {
        await waitForAnswer(api, host);
        for (const node of lab.nodes) {
          const { errors = [] } = await dial(node, "tcp", host, 5);
          assert.deepEqual(errors, [], `a pod on ${node}`);
          const { code } = await lab.exec(node, ["curl", "--silent", "--fail", "--max-time", "5", urlOf(host)]);
          assert.equal(code, 0, `node ${node} → ${host}`);
        }
      }
    });

    test("source ranges exclude pods and nodes, too", async () => {
      const { api, lab } = cluster();
      const loadBalancerSourceRanges = ["172.30.0.100/32", "fd30::100/128"];
      await createService(api, "ranges", { loadBalancerSourceRanges }, "web", proxyMode);
      for (const host of await api.waitForAddresses("ranges")) {
        await waitForAnswer(api, host);
        for (const node of lab.nodes) {
          await waitFor({ what: `${host} to be closed to node ${node}`, timeoutMs: 15_000 }, async () => {
            return (await lab.exec(node, ["curl", "--silent", "--max-time", "1", urlOf(host)])).code === 28;
          });
        }
        // A pod waits much longer.
        const [node = ""] = lab.nodes;
        const { responses = [], errors = [] } = await dial(node, "tcp", host, 1);
        assert.deepEqual([responses.length, errors.length], [0, 1], `a pod on ${node}`);
      }
    });

    test("without endpoints, every client is refused", async () => {
      const { api, lab } = cluster();
      await createService(api, "empty", {}, "nobody", proxyMode);
      for (const host of await api.waitForAddresses("empty")) {
        await waitForAnnouncement(api, host);
        await assertRefuses(api, "client", host);
        for (const node of lab.nodes) {
          await waitFor({ what: `${host} to refuse node ${node}`, timeoutMs: 15_000 }, async () => {
            return (await lab.exec(node, ["curl", "--silent", "--max-time", "2", urlOf(host)])).code === 7;
          });
          const { responses = [], errors = [] } = await dial(node, "tcp", host, 1);
          assert.deepEqual(responses, []);
          assert.match(errors.join(), /connection refused/, `a pod on ${node}`);
        }
      }
    });

    test("the mode can change in both directions", async () => {
      const { api, lab } = cluster();
      for (const mode of ["VIP", "Proxy"]) {
        const annotations = { ...proxyMode.annotations, "bellhop.dev/ip-mode": mode };
        await createService(api, "proxy", {}, "web", { annotations });
        await waitFor({ what: `ipMode ${mode}`, timeoutMs: 15_000 }, async () => {
          const { status } = await api.get("v1", "Service", "proxy");
          return status.loadBalancer.ingress.every(({ ipMode }: { ipMode: string }) => ipMode === mode);
        });
        for (const host of addresses) {
          for (const node of lab.nodes) {
            await waitFor({ what: `an answer to ${node} by ${host}`, timeoutMs: 15_000 }, async () => {
              return (await lab.exec(node, ["curl", "--silent", "--max-time", "2", urlOf(host)])).code === 0;
            });
          }
        }
      }
    });

    test("without forwarding by node port the status keeps VIP, and an event says why", async () => {
      const { api } = cluster();
      await createService(api, "kept", {}, "web", { annotations: { "bellhop.dev/ip-mode": "Proxy" } });
      await api.waitForAddresses("kept");
      const { status } = await api.get("v1", "Service", "kept");
      for (const { ipMode } of status.loadBalancer.ingress) assert.equal(ipMode, "VIP");
      await waitFor({ what: "the event", timeoutMs: 15_000 }, async () => {
        return (await api.events("Service", "kept")).some(({ reason }) => reason === "IpModeProxyWithoutNodePort");
      });
    });
  });
}

function urlOf(host: string): string {
  return `http://${inUrl(host)}/hostname`;
}
