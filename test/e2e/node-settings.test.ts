import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { nodeAddresses, ROUTER } from "../lab/addresses.ts";
import { waitFor } from "../lab/wait.ts";
import { askFrom, startLoad } from "./client.ts";
import { useCluster } from "./cluster.ts";
import { assertAnswers, waitForAnswer } from "./forwarding.ts";
import { statusOf } from "./pool.ts";
import { createService, startWeb } from "./workload.ts";

const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const byNodePort = { annotations: { "bellhop.dev/forwarding": "nodeport" } };

/** Each wrong setting of a node, made on a node that announces an address, and taken back. */
describe("settings of a node that keep packets from Services", () => {
  const cluster = useCluster("nftables", "node-settings", { lab: "e2e-settings" });
  let address = "";

  before(async () => {
    const { api } = cluster();
    await startWeb(api);
    await createService(api, "web", { ipFamilyPolicy: "SingleStack" });
    [address = ""] = await api.waitForAddresses("web");
    await waitForAnswer(api, address);
  });

  async function announcer(of = address): Promise<string> {
    return waitFor({ what: `a node to announce ${of}`, timeoutMs: 20_000 }, async () => {
      const found = await cluster().api.find("bellhop.dev/v1beta1", "VirtualIP", of);
      const node: unknown = found?.status?.node;
      return typeof node === "string" && node;
    });
  }

  async function waitForCondition(node: string, type: string, status: string, reason: string): Promise<string> {
    const what = `condition ${type} of Speaker ${node} to be ${status} ${reason}`;
    return waitFor({ what, timeoutMs: 90_000 }, async () => {
      const speaker = await cluster().api.find("bellhop.dev/v1beta1", "Speaker", node);
      const found = statusOf(speaker?.status, type);
      return found?.status === status && found.reason === reason && found.message;
    });
  }

  async function explain(service: string): Promise<string> {
    const { lab } = cluster();
    const argv = [program, "explain", "service", `node-settings/${service}`, "--kubeconfig", lab.kubeconfig];
    return (await lab.exec("control", [process.execPath, ...argv])).stdout;
  }

  async function on(node: string, command: string): Promise<void> {
    const { code, stderr } = await cluster().lab.exec(node, ["sh", "-c", command]);
    assert.equal(code, 0, stderr);
  }

  test("an interface that does not forward: another node announces", async () => {
    const node = await announcer();
    await on(node, "sysctl -qw net.ipv4.conf.eth0.forwarding=0");
    try {
      await waitForCondition(node, "Forwarding", "False", "ForwardingDisabled");
      await waitFor({ what: `another node than ${node} to announce`, timeoutMs: 30_000 }, async () => {
        return (await announcer()) !== node;
      });
      // The pod of the node itself cannot be reached from the other nodes.
      const target = { protocol: "tcp", host: address, port: 80, question: "/hostname" } as const;
      assert.ok((await askFrom(cluster().lab, "client", target, 10, 1_000)).good > 0);
      assert.match(await explain("web"), new RegExp(`${node} cannot announce it: .*eth0\\.forwarding is 0`));
    } finally {
      await on(node, "sysctl -qw net.ipv4.conf.eth0.forwarding=1");
    }
    await waitForCondition(node, "Forwarding", "True", "Enabled");
  });

  test("a strict reverse path filter, and routers behind another interface", async () => {
    const node = await announcer();
    await on(node, "ip link add other type veth peer name far && ip link set far up && ip link set other up");
    try {
      await on(node, "ip address add 198.51.100.1/24 dev other && ip route replace default via 198.51.100.2 dev other");
      await on(node, "sysctl -qw net.ipv4.conf.eth0.rp_filter=1");
      await waitForCondition(node, "ReversePathFilter", "False", "ReversePathFilterStrict");
      assert.match(await explain("web"), /rp_filter/);
    } finally {
      await on(node, `sysctl -qw net.ipv4.conf.eth0.rp_filter=0; ip route replace default via ${ROUTER.ipv4} dev eth0`);
      await on(node, "ip link delete other");
    }
    await waitForCondition(node, "ReversePathFilter", "True", "Passes");
  });

  test("a firewall that drops what it does not know", async () => {
    const node = await announcer();
    await on(
      node,
      "nft 'table inet wall { chain forward { type filter hook forward priority 0; policy drop; ip version 4 accept; }; }'",
    );
    try {
      await waitForCondition(node, "ForwardPolicy", "Unknown", "ForwardPolicyDrop");
    } finally {
      await on(node, "nft delete table inet wall");
    }
    await waitForCondition(node, "ForwardPolicy", "True", "Accept");
  });

  test("an InternalIP that is on no interface", async () => {
    const { api, lab } = cluster();
    const node = await announcer();
    const path = `/api/v1/nodes/${node}/status?fieldManager=test&force=true`;
    const status = { addresses: [{ type: "InternalIP", address: "198.51.100.77" }] };
    // The kubelet corrects it within seconds, and the speaker looks every ten: so it is written until it has been seen.
    await waitFor(
      { what: `condition NodeAddress of Speaker ${node}`, timeoutMs: 60_000, intervalMs: 500 },
      async () => {
        await lab.api("PATCH", path, { apiVersion: "v1", kind: "Node", metadata: { name: node }, status });
        const found = statusOf((await api.find("bellhop.dev/v1beta1", "Speaker", node))?.status, "NodeAddress");
        return found?.status === "False" && found.reason === "InternalIpNotOnNode";
      },
    );
    await waitForCondition(node, "NodeAddress", "True", "Present");
  });

  test("a service proxy that does not know the address", async () => {
    const { api, lab } = cluster();
    // kube-proxy ignores the Service.
    const labels = { "service.kubernetes.io/service-proxy-name": "other" };
    await createService(api, "unknown", { ipFamilyPolicy: "SingleStack" }, "web", { labels });
    const [host = ""] = await api.waitForAddresses("unknown");
    const node = await announcer(host);
    const target = { protocol: "tcp", host, port: 80, question: "/hostname" } as const;
    const load = startLoad(lab, "client", { target, intervalMs: 500, timeoutMs: 1_000 });
    try {
      await waitFor(
        { what: "time for the service proxy to be late", timeoutMs: 150_000, intervalMs: 5_000 },
        async () => {
          const speaker = await api.get("bellhop.dev/v1beta1", "Speaker", node);
          return statusOf(speaker.status, "ServiceProxy")?.status === "False";
        },
      );
      const message = await waitForCondition(node, "ServiceProxy", "False", "ServiceProxyLacksService");
      assert.ok(message.includes(`${host} port 80/TCP`), message);
      assert.match(await explain("unknown"), /no service proxy of the node takes them/);
      assert.doesNotMatch(await explain("web"), /no service proxy of the node takes them/);
    } finally {
      await load.stop();
    }
    await api.delete("v1", "Service", "unknown");
  });

  test("node ports that kube-proxy does not open at the InternalIP: straight to pods", async () => {
    const { api, lab } = cluster();
    await createService(api, "rewritten", { ipFamilyPolicy: "SingleStack" }, "web", byNodePort);
    const [host = ""] = await api.waitForAddresses("rewritten");
    await waitForAnswer(api, host);
    const node = await announcer(host);
    const file = "/etc/kubernetes/kube-proxy.json";
    const restart = async (edit: string) => {
      await on(node, `sed -i '${edit}' ${file}`);
      await lab.stopNode(node);
      await lab.startNode(node);
    };
    const mode = '"mode": "nftables"';
    await restart(`s|${mode}|"nodePortAddresses": ["198.51.100.0/24"], ${mode}|`);
    try {
      await api.apply({
        apiVersion: "bellhop.dev/v1beta1",
        kind: "VirtualIP",
        metadata: { name: host, annotations: { "bellhop.dev/node": node } },
      });
      await waitFor({ what: `${node} to announce ${host}`, timeoutMs: 60_000 }, async () => {
        return (await announcer(host)) === node;
      });
      const message = await waitForCondition(node, "NodePorts", "False", "NodePortsClosed");
      assert.ok(message.includes(`at ${nodeAddresses(node).ipv4}`), message);
      await assertAnswers(api, "client", { protocol: "tcp", host, port: 80, question: "/hostname" });
      assert.match(await explain("rewritten"), /directly to a pod \(its announcing node cannot take its node port\)/);
    } finally {
      await restart('s|"nodePortAddresses": \\["198.51.100.0/24"\\], ||');
    }
    await waitForCondition(node, "NodePorts", "True", "Open");
    await waitForAnswer(api, host);
  });
});
