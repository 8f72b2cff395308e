import assert from "node:assert/strict";
import { test } from "node:test";
import { decideForwarding, type Forwarding } from "../../../../src/model/forwarding.ts";
import { projectService } from "../../../../src/model/service.ts";

interface Case {
  /** The annotation; undefined: none. */
  readonly requested?: string;
  /** What its pool says; undefined: nothing. */
  readonly pool?: Forwarding;
  readonly protocol?: "TCP" | "UDP" | "SCTP";
  readonly nodePort?: number;
  readonly affinity?: true;
  readonly usable?: false;
  readonly late?: true;
  /** Whether kube-proxy may send connections to a dead node. */
  readonly dead?: true;
  /** Whether it may still do so, although the cluster has noticed. */
  readonly afterDeath?: true;
  /** Whether the node cannot see which endpoint its service proxy chooses. */
  readonly hidden?: true;
  /** `way, cause`. */
  readonly expected: string;
}

const cases: readonly Case[] = [
  { expected: "kube-proxy, node port" },
  { protocol: "UDP", expected: "kube-proxy, node port" },
  { usable: false, expected: "kube-proxy, node port" },
  { late: true, expected: "pods, kube-proxy late" },
  { late: true, usable: false, expected: "pods, kube-proxy late" },
  { late: true, affinity: true, expected: "kube-proxy, node port" },
  { affinity: true, expected: "kube-proxy, node port" },
  { nodePort: 0, expected: "pods, no node port" },
  { nodePort: 0, affinity: true, expected: "pods, no node port" },
  { nodePort: 0, late: true, expected: "pods, no node port" },
  { requested: "pods", expected: "pods, requested" },
  { requested: " pods ", late: true, affinity: true, expected: "pods, requested" },
  { requested: "pods", nodePort: 0, expected: "pods, requested" },
  { requested: "kube-proxy", late: true, expected: "kube-proxy, requested" },
  { requested: "kube-proxy", nodePort: 0, expected: "kube-proxy, requested" },
  { requested: "nodeport", expected: "nodeport, requested" },
  { requested: "nodeport", late: true, affinity: true, expected: "nodeport, requested" },
  { dead: true, expected: "pods, dead node" },
  { dead: true, late: true, expected: "pods, dead node" },
  { dead: true, affinity: true, expected: "pods, dead node" },
  { dead: true, affinity: true, late: true, expected: "pods, dead node" },
  { late: true, afterDeath: true, affinity: true, expected: "pods, kube-proxy late" },
  { afterDeath: true, affinity: true, expected: "kube-proxy, node port" },
  { dead: true, affinity: true, hidden: true, expected: "kube-proxy, node port" },
  { late: true, afterDeath: true, affinity: true, hidden: true, expected: "kube-proxy, node port" },
  { dead: true, hidden: true, expected: "pods, dead node" },
  { late: true, hidden: true, expected: "pods, kube-proxy late" },
  { requested: "kube-proxy", dead: true, expected: "kube-proxy, requested" },
  { requested: "nodeport", dead: true, expected: "nodeport, requested" },
  { dead: true, nodePort: 0, expected: "pods, no node port" },
  { requested: "nodeport", usable: false, expected: "pods, node port not usable" },
  { requested: "nodeport", nodePort: 0, expected: "pods, no node port" },
  { requested: "magic", expected: "kube-proxy, node port" },
  { requested: " ", expected: "kube-proxy, node port" },
  { requested: "pods", protocol: "SCTP", expected: "kube-proxy, sctp" },
  { requested: "nodeport", protocol: "SCTP", expected: "kube-proxy, sctp" },
  { protocol: "SCTP", nodePort: 0, late: true, expected: "kube-proxy, sctp" },
  { pool: "pods", expected: "pods, pool" },
  { pool: "pods", nodePort: 0, late: true, affinity: true, expected: "pods, pool" },
  { pool: "kube-proxy", late: true, expected: "kube-proxy, pool" },
  { pool: "nodeport", late: true, affinity: true, expected: "nodeport, pool" },
  { pool: "nodeport", usable: false, expected: "pods, node port not usable" },
  { pool: "nodeport", nodePort: 0, expected: "pods, no node port" },
  { pool: "pods", protocol: "SCTP", expected: "kube-proxy, sctp" },
  { pool: "pods", requested: "kube-proxy", late: true, expected: "kube-proxy, requested" },
  { pool: "nodeport", requested: "pods", expected: "pods, requested" },
  { pool: "kube-proxy", requested: "nodeport", expected: "nodeport, requested" },
  { pool: "pods", requested: "magic", expected: "pods, pool" },
  { pool: "pods", requested: " ", expected: "pods, pool" },
];

for (const { expected, ...facts } of cases) {
  const {
    requested,
    pool: poolForwarding,
    protocol = "TCP",
    nodePort = 30080,
    affinity,
    usable = true,
    late = false,
    dead = false,
    afterDeath = false,
    hidden = false,
  } = facts;
  test(`${JSON.stringify(facts)} → ${expected}`, () => {
    const service = projectService({
      metadata: { annotations: requested === undefined ? {} : { "bellhop.dev/forwarding": requested } },
      spec: { type: "LoadBalancer", sessionAffinity: affinity ? "ClientIP" : "None" },
    });
    const port = { name: "", protocol, port: 80, nodePort };
    const { way, cause } = decideForwarding(service, port, {
      nodePortUsable: usable,
      kubeProxyLate: late,
      afterDeath,
      deadEndpoints: dead,
      hiddenChoices: hidden,
      poolForwarding,
    });
    assert.equal(`${way}, ${cause}`, expected);
  });
}
