import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ownPath } from "../../../../../src/kube/path.ts";
import { useCluster } from "../../fake-cluster/use-cluster.ts";
import { addEndpoints, announce, askService } from "../load-and-explain.ts";

const lastTransitionTime = "2026-01-01T00:00:00Z";
const drops = { type: "ForwardPolicy", status: "Unknown", reason: "ForwardPolicyDrop", message: "It drops." };
const closed = { type: "Forwarding", status: "False", reason: "ForwardingDisabled", message: "It is closed." };
const open = { type: "Forwarding", status: "True", reason: "Enabled", message: "It is open." };
const moved = { type: "NodeAddress", status: "False", reason: "InternalIpNotOnNode", message: "It is elsewhere." };

const keyless = { type: "Heartbeats", status: "False", reason: "HeartbeatKeyMissing", message: "There is no key." };
const loose = {
  type: "StrictArp",
  status: "False",
  reason: "ServiceProxyWithoutStrictArp",
  message: "It answers, too.",
};
const shut = { type: "NodePorts", status: "False", reason: "NodePortsClosed", message: "None at 203.0.113.7, so." };

const untaken = (address: string, more = "") => {
  const message = `The node drops connections to "${address} port 80/TCP${more}".`;
  return { type: "ServiceProxy", status: "False", reason: "ServiceProxyLacksService", message };
};

const cases: readonly {
  readonly name: string;
  readonly nodePort: number;
  readonly condition: object;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
  readonly path?: RegExp;
}[] = [
  { name: "a fault", nodePort: 30080, condition: closed, notes: ["Node n1: It is closed."] },
  { name: "no key of heartbeats", nodePort: 30080, condition: keyless, notes: ["Node n1: There is no key."] },
  { name: "ipvs without strictARP", nodePort: 30080, condition: loose, notes: ["Node n1: It answers, too."] },
  { name: "no fault", nodePort: 30080, condition: open, notes: [] },
  {
    name: "a policy that drops, where packets go straight to pods",
    nodePort: 0,
    condition: drops,
    notes: ["Node n1: It drops."],
  },
  { name: "a policy that drops, where packets go through node ports", nodePort: 30080, condition: drops, notes: [] },
  {
    name: "node ports that are not used, because the InternalIP is on no interface",
    nodePort: 30080,
    condition: moved,
    notes: ["Node n1: It is elsewhere."],
    path: /directly to a pod/,
  },
  {
    name: "a service proxy that does not take connections to its address",
    nodePort: 30080,
    condition: untaken("192.0.2.10"),
    notes: ['Node n1: The node drops connections to "192.0.2.10 port 80/TCP".'],
  },
  {
    name: "a service proxy that does not take connections to another address",
    nodePort: 30080,
    condition: untaken("192.0.2.101"),
    notes: [],
  },
  {
    name: "a service proxy that does not take connections to an address that ends alike",
    nodePort: 30080,
    condition: untaken("0:0:192.0.2.10"),
    notes: [],
  },
  {
    name: "a service proxy that takes connections to so few addresses that not all others are named",
    nodePort: 30080,
    condition: untaken("192.0.2.101", " and 7 more"),
    notes: ['Node n1: The node drops connections to "192.0.2.101 port 80/TCP and 7 more".'],
  },
  {
    name: "node ports that kube-proxy does not open at the InternalIP",
    nodePort: 30080,
    annotations: { "bellhop.dev/forwarding": "nodeport" },
    condition: shut,
    notes: ["Node n1: None at 203.0.113.7, so."],
    path: /^directly to a pod \(its announcing node cannot take its node port\)$/,
  },
];

describe("explain tells what the settings of the announcing node do to a Service", () => {
  const cluster = useCluster();
  for (const { name, nodePort, annotations = {}, condition, notes, path } of cases) {
    test(name, async () => {
      await cluster.addPool("lan", ["192.0.2.10-192.0.2.19"]);
      await cluster.start();
      await cluster.addService("web", { ports: [{ port: 80, protocol: "TCP", nodePort }] }, { annotations });
      await addEndpoints(cluster, "web", [{ nodeName: "n1", ready: true }]);
      await cluster.eventually(async () => {
        assert.equal(await cluster.condition("web"), "True AddressAssigned");
      });
      await announce(cluster, "192.0.2.10", { node: "n1" });
      const internal = { addresses: [{ type: "InternalIP", address: "203.0.113.7" }] };
      await cluster.patch("/api/v1/nodes/n1/status", { status: internal });
      const body = { status: { conditions: [{ ...condition, lastTransitionTime }] } };
      await cluster.patch(`${ownPath("speakers", "n1")}/status`, body);
      const { remarks, ports } = await askService(cluster, "web");
      assert.deepEqual(
        remarks.filter((remark) => remark.startsWith("Node n1")),
        notes,
      );
      if (path !== undefined) assert.match(ports[0]?.path ?? "", path);
    });
  }
});
