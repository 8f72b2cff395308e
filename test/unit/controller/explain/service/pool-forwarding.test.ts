import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { useCluster } from "../../fake-cluster/use-cluster.ts";
import { askService } from "../load-and-explain.ts";

const limits = "open connections end when this node port or the mode changes, and path MTU messages are not translated";

const cases: readonly {
  readonly name: string;
  readonly spec: object;
  readonly annotations?: Record<string, string>;
  readonly path: string;
}[] = [
  {
    name: "the pool",
    spec: { forwarding: "pods" },
    path: "directly to a pod (spec.forwarding of IPAddressPool lan: pods)",
  },
  {
    name: "the pool, with the limits of the rewrite",
    spec: { forwarding: "nodeport" },
    path: `node port 30080 of the announcing node, then through kube-proxy to a pod (spec.forwarding of IPAddressPool lan: nodeport; ${limits})`,
  },
  {
    name: "the Service, whose annotation comes first",
    spec: { forwarding: "nodeport" },
    annotations: { "bellhop.dev/forwarding": "pods" },
    path: "directly to a pod (bellhop.dev/forwarding: pods)",
  },
];

describe("explain says where the forwarding mode comes from", () => {
  const cluster = useCluster();
  for (const { name, spec, annotations = {}, path } of cases) {
    test(name, async () => {
      await cluster.addPool("lan", ["192.0.2.10-192.0.2.19"], { ...spec });
      await cluster.start();
      await cluster.addService("web", { ports: [{ port: 80, protocol: "TCP", nodePort: 30080 }] }, { annotations });
      await cluster.expectShown("web", ["192.0.2.10"]);
      const { ports } = await askService(cluster, "web");
      assert.deepEqual(
        ports.map((port) => port.path),
        [path],
      );
    });
  }

  test("a reservation by a user", async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.19"], { forwarding: "nodeport" });
    const services = [{ namespace: "default", name: "web" }];
    await cluster.addVirtualIp("192.0.2.12", { address: "192.0.2.12", services, forwarding: "kube-proxy" });
    await cluster.start();
    await cluster.addService("web", { ports: [{ port: 80, protocol: "TCP", nodePort: 30080 }] });
    await cluster.expectShown("web", ["192.0.2.12"]);
    const { ports } = await askService(cluster, "web");
    assert.match(ports[0]?.path ?? "", /\(spec\.forwarding of VirtualIP 192\.0\.2\.12: kube-proxy\)$/);
  });

  test("two pools, for an address of each family", async () => {
    await cluster.addPool("four", ["192.0.2.10"], { forwarding: "pods" });
    await cluster.addPool("six", ["2001:db8::10"], { forwarding: "kube-proxy" });
    await cluster.start();
    const dual = { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" };
    await cluster.addService("web", { ...dual, ports: [{ port: 80, protocol: "TCP", nodePort: 30080 }] });
    await cluster.expectShown("web", ["192.0.2.10", "2001:db8::10"]);
    const { ports } = await askService(cluster, "web");
    const four = "192.0.2.10: directly to a pod (spec.forwarding of IPAddressPool four: pods)";
    const six =
      "2001:db8::10: kube-proxy's own rules for the address (spec.forwarding of IPAddressPool six: kube-proxy)";
    assert.equal(ports[0]?.path, `${four}; ${six}`);
  });
});
