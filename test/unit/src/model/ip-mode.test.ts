import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decideIpMode, type PoolModes } from "../../../../src/model/ip-mode.ts";
import { projectService } from "../../../../src/model/service.ts";

interface Case {
  readonly name: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly pool?: PoolModes;
  readonly protocols?: readonly ("TCP" | "UDP" | "SCTP")[];
  readonly noNodePorts?: true;
  /** The mode, and the code and value of the reason if there is one. */
  readonly is: string;
}

const forwarding = "bellhop.dev/forwarding";
const ipMode = "bellhop.dev/ip-mode";

const cases: readonly Case[] = [
  { name: "nothing requests one", annotations: { [forwarding]: "nodeport" }, is: "VIP" },
  { name: "both annotations", annotations: { [forwarding]: "nodeport", [ipMode]: " Proxy " }, is: "Proxy" },
  { name: "both fields of the pool", pool: { forwarding: "nodeport", ipMode: "Proxy" }, is: "Proxy" },
  {
    name: "the annotation comes before the pool",
    annotations: { [ipMode]: "VIP" },
    pool: { forwarding: "nodeport", ipMode: "Proxy" },
    is: "VIP",
  },
  {
    name: "the pool forwards, the Service requests",
    annotations: { [ipMode]: "Proxy" },
    pool: { forwarding: "nodeport" },
    is: "Proxy",
  },
  {
    name: "an unknown word counts as not set",
    annotations: { [forwarding]: "nodeport", [ipMode]: "proxy" },
    is: "VIP",
  },
  { name: "kube-proxy forwards", annotations: { [ipMode]: "Proxy" }, is: "VIP IpModeProxyWithoutNodePort 80/TCP" },
  {
    name: "straight to pods",
    annotations: { [forwarding]: "pods", [ipMode]: "Proxy" },
    is: "VIP IpModeProxyWithoutNodePort 80/TCP",
  },
  {
    name: "one port is SCTP",
    annotations: { [forwarding]: "nodeport", [ipMode]: "Proxy" },
    protocols: ["TCP", "SCTP"],
    is: "VIP IpModeProxyWithoutNodePort 81/SCTP",
  },
  {
    name: "no node ports",
    annotations: { [forwarding]: "nodeport", [ipMode]: "Proxy" },
    noNodePorts: true,
    is: "VIP IpModeProxyWithoutNodePort 80/TCP",
  },
  {
    name: "the own address of a node",
    annotations: { [forwarding]: "nodeport", [ipMode]: "Proxy" },
    pool: { isNodeAddress: true },
    is: "VIP IpModeProxyWithoutNodePort 80/TCP",
  },
];

describe("ipMode of an address", () => {
  for (const { name, annotations = {}, pool = {}, protocols = ["TCP"], noNodePorts, is } of cases) {
    test(name, () => {
      const ports = protocols.map((protocol, index) => ({
        protocol,
        port: 80 + index,
        ...(noNodePorts === undefined ? { nodePort: 30_080 + index } : {}),
      }));
      const view = projectService({
        metadata: { namespace: "default", name: "web", annotations },
        spec: { type: "LoadBalancer", ports },
      });
      const { mode, reason } = decideIpMode(view, pool);
      assert.equal([mode, ...(reason === undefined ? [] : [reason.code, reason.value])].join(" "), is);
    });
  }
});
