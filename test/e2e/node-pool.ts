import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { CLIENT, REMOTE } from "../lab/addresses.ts";
import { waitFor } from "../lab/wait.ts";
import { bellhopInPod } from "../product/controller-pod.ts";
import { askFrom } from "./client.ts";
import { type ProxyMode, useCluster } from "./cluster.ts";
import { waitForAnswer } from "./forwarding.ts";
import { expectCondition } from "./service-state.ts";
import { createService, startWeb } from "./workload.ts";

const pool = "nodes";
const onNodes = { annotations: { "bellhop.dev/pool": pool } };
const excludeLabel = "node.kubernetes.io/exclude-from-external-load-balancers";

function ports(port: number): Record<string, unknown> {
  return {
    ports: [
      { name: "http", protocol: "TCP", port, targetPort: 8080 },
      { name: "dgram", protocol: "UDP", port, targetPort: 8080 },
    ],
  };
}

/** Services on the nodes' own addresses, which kube-proxy alone forwards, in one of its modes. */
export function testNodePool(proxy: ProxyMode): void {
  describe(`Services on the nodes' own addresses, kube-proxy ${proxy}`, () => {
    const cluster = useCluster(proxy, "node-pool");
    /** Own addresses of the nodes as the API server has them, IPv4 first. */
    const own: { readonly node: string; readonly address: string }[] = [];

    before(async () => {
      const { api, lab } = cluster();
      await startWeb(api);
      await api.apply({
        apiVersion: "bellhop.dev/v1beta1",
        kind: "IPAddressPool",
        metadata: { name: pool },
        spec: {
          nodeAddresses: { allowedPorts: ["8088/TCP", "8088/UDP", "8089/TCP", "8089/UDP", "8090/TCP", "8090/UDP"] },
          autoAssign: false,
        },
      });
      const { items } = JSON.parse(await lab.kubectl(["get", "nodes", "-o", "json"])) as {
        items: { metadata: { name: string }; status: { addresses: { type: string; address: string }[] } }[];
      };
      const all = items.flatMap(({ metadata, status }) =>
        status.addresses
          .filter(({ type }) => type === "InternalIP")
          .map(({ address }) => ({ node: metadata.name, address })),
      );
      const isIPv6 = ({ address }: { address: string }) => address.includes(":");
      own.push(...all.filter((one) => !isIPv6(one)), ...all.filter(isIPv6));
      assert.equal(own.length, 6);
    });

    after(async () => {
      const { api, lab } = cluster();
      await lab.kubectl(["label", "nodes", "--all", `${excludeLabel}-`]);
      for (const { metadata } of await api.list("v1", "Service")) await api.delete("v1", "Service", metadata.name);
      await api.delete("bellhop.dev/v1beta1", "IPAddressPool", pool);
    });

    async function expectAddresses(name: string, addresses: readonly string[]): Promise<void> {
      await waitFor({ what: `Service ${name} to have ${addresses.join(", ")}`, timeoutMs: 30_000 }, async () => {
        const { status } = await cluster().api.get("v1", "Service", name);
        const shown = (status.loadBalancer.ingress ?? []).map(({ ip }: { ip: string }) => ip);
        return JSON.stringify(shown) === JSON.stringify(addresses);
      });
    }

    const allOwn = (): readonly string[] => own.map(({ address }) => address);

    test("every node answers at its own addresses, TCP and UDP, from the LAN and from behind the router", async () => {
      const { api, lab } = cluster();
      await createService(api, "web", ports(8088), "web", onNodes);
      await expectAddresses("web", allOwn());
      for (const { address } of own) {
        await waitForAnswer(api, address, 30_000, 8088);
        for (const host of ["client", "remote"]) {
          for (const protocol of ["tcp", "udp"] as const) {
            const question = protocol === "tcp" ? "/hostname" : "hostname";
            const report = await askFrom(lab, host, { protocol, host: address, port: 8088, question }, 3);
            assert.deepEqual(report.failures, [], `${protocol} ${address} from ${host}`);
          }
        }
      }
    });

    test("no speaker answers for them or rewrites: each claim names its node and no owner", async () => {
      const { api, lab } = cluster();
      for (const { node, address } of own) {
        const { spec, status } = await api.get("bellhop.dev/v1beta1", "VirtualIP", address.replaceAll(":", "-"));
        assert.deepEqual([spec.node, spec.owners, status?.node], [node, [], undefined]);
      }
      for (const node of lab.nodes) {
        const { stdout } = await lab.exec(node, ["nft", "list", "ruleset"]);
        const tables = stdout.split(/^table /m).filter((table) => /^ip6? bellhop /.test(table));
        for (const table of tables) assert.ok(!table.includes("8088"), table);
      }
      const speakers = await api.list("bellhop.dev/v1beta1", "Speaker");
      assert.equal(speakers.length, lab.nodes.length);
      const announced: string[] = speakers.flatMap(({ status }) => status.announcing ?? []);
      assert.deepEqual(
        announced.filter((address) => allOwn().includes(address)),
        [],
      );
    });

    test("other ports are free to others, the same port is refused and told by whom it is taken", async () => {
      const { api, lab } = cluster();
      await createService(api, "clash", ports(8088), "web", onNodes);
      await expectCondition(api, "clash", "False", "NodeAddressPortTaken");
      const { status } = await api.get("v1", "Service", "clash");
      assert.equal(status.loadBalancer.ingress, undefined);
      assert.match(JSON.stringify(status.conditions), /Service node-pool\/web uses 8088\/TCP on/);
      const argv = bellhopInPod(["explain", "service", "node-pool/clash"]);
      const explained = await lab.exec("control", ["kubectl", ...argv]);
      assert.equal(explained.code, 1, explained.stderr);
      assert.match(explained.stdout, /NodeAddressPortTaken/);
      await createService(api, "beside", ports(8089), "web", onNodes);
      await expectAddresses("beside", allOwn());
      for (const { address } of own) await waitForAnswer(api, address, 30_000, 8089);
      await createService(api, "ssh", ports(22), "web", onNodes);
      await createService(api, "kubelet", ports(10250), "web", onNodes);
      await expectCondition(api, "kubelet", "False", "NodeAddressPortReserved");
      await expectCondition(api, "ssh", "False", "NodeAddressPortNotAllowed");
      await api.delete("v1", "Service", "web");
      await expectAddresses("clash", allOwn());
      for (const { address } of own) await waitForAnswer(api, address, 30_000, 8088);
    });

    test("a node that no longer takes part leaves, and comes back, with one event each", async () => {
      const { api, lab } = cluster();
      const [gone] = own;
      assert.ok(gone !== undefined);
      await lab.kubectl(["label", "node", gone.node, `${excludeLabel}=`]);
      const left = own.filter(({ node }) => node !== gone.node).map(({ address }) => address);
      await expectAddresses("beside", left);
      await waitFor({ what: `the claim of ${gone.address} to go`, timeoutMs: 10_000 }, async () => {
        return (await api.find("bellhop.dev/v1beta1", "VirtualIP", gone.address)) === undefined;
      });
      await lab.kubectl(["label", "node", gone.node, `${excludeLabel}-`]);
      await expectAddresses("beside", allOwn());
      const expected = [
        `Updated load balancer [${allOwn().join(", ")}] -> [${left.join(", ")}]`,
        `Updated load balancer [${left.join(", ")}] -> [${allOwn().join(", ")}]`,
      ];
      await waitFor({ what: "both events", timeoutMs: 10_000 }, async () => {
        const notes = (await api.events("Service", "beside")).filter(({ reason }) => reason === "UpdatedLoadBalancer");
        return JSON.stringify(notes.map(({ note }) => note).sort()) === JSON.stringify([...expected].sort());
      });
    });

    test("under Local only nodes with ready pods are shown, and these see the client's own address", async () => {
      const { api, lab } = cluster();
      const [first] = own;
      assert.ok(first !== undefined);
      await startWeb(api, "lonely", { "kubernetes.io/hostname": first.node });
      await createService(api, "local", { ...ports(8090), externalTrafficPolicy: "Local" }, "lonely", onNodes);
      const near = own.filter(({ node }) => node === first.node).map(({ address }) => address);
      await expectAddresses("local", near);
      for (const address of near) {
        await waitForAnswer(api, address, 30_000, 8090);
        for (const [host, station] of [
          ["client", CLIENT],
          ["remote", REMOTE],
        ] as const) {
          const target = { protocol: "tcp", host: address, port: 8090, question: "/clientip" } as const;
          const report = await askFrom(lab, host, target, 3);
          assert.deepEqual(report.failures, []);
          const client = address.includes(":") ? station.ipv6 : station.ipv4;
          for (const seen of Object.keys(report.answers)) assert.ok(seen.includes(client), `the pod saw ${seen}`);
        }
      }
    });
  });
}
