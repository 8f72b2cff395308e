import { fileURLToPath } from "node:url";
import { nodeAddresses } from "../../lab/addresses.ts";
import type { Lab } from "../../lab/lab.ts";
import { showProgress } from "../../lab/progress.ts";
import { upLab } from "../../lab/up.ts";
import { waitFor } from "../../lab/wait.ts";
import { productNamespace } from "../../product/install.ts";
import { Api } from "../api.ts";

const base = fileURLToPath(new URL("../../../deploy/base", import.meta.url));
const leasePath = `/apis/coordination.k8s.io/v1/namespaces/${productNamespace}/leases`;

/**
 * A lab of one node with Bellhop's kinds but none of its programs: the test brings its own controllers. A Speaker and its Lease
 * that outlives the test stand for the node, so that addresses have an announcer.
 */
export async function upBareLab(name: string, namespace: string): Promise<Api> {
  const progress = showProgress(process.stderr);
  const lab = await upLab({ name, nodes: 1 }, progress);
  const api = new Api(lab, namespace);
  await lab.kubectl(["apply", "-f", `${base}/namespace.yaml`]);
  await installKinds(lab);
  await api.createNamespace();
  await createSpeaker(lab);
  return api;
}

/** Creates the CustomResourceDefinitions and waits until they can be used. */
export async function installKinds(lab: Lab): Promise<void> {
  await lab.kubectl(["apply", "-f", `${base}/crds`]);
  await lab.kubectl(["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]);
}

/** Puts a Speaker and its Lease, which outlives any test, in the place of a node. */
export async function createSpeaker(lab: Lab): Promise<void> {
  const [node = "n1"] = lab.nodes;
  const { ipv4, ipv6 } = nodeAddresses(node);
  const speaker = { apiVersion: "bellhop.dev/v1beta1", kind: "Speaker", metadata: { name: node } };
  const path = `/apis/bellhop.dev/v1beta1/speakers/${node}`;
  const addresses = [`${ipv4}/24`, `${ipv6}/64`];
  const interfaces = [{ name: "eth0", mac: "02:be:ac:1e:00:0b", up: true, addresses }];
  await waitFor({ what: "the Speaker to be taken", timeoutMs: 20_000, intervalMs: 200 }, async () => {
    await lab.api("PATCH", `${path}?fieldManager=test&force=true`, speaker);
    return true;
  });
  await lab.api("PATCH", `${path}/status?fieldManager=test&force=true`, { ...speaker, status: { interfaces } });
  await lab.api("PATCH", `${leasePath}/speaker-${node}?fieldManager=test&force=true`, {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name: `speaker-${node}`, labels: { "bellhop.dev/component": "speaker" } },
    spec: {
      holderIdentity: node,
      leaseDurationSeconds: 86_400,
      renewTime: new Date().toISOString().replace("Z", "000Z"),
    },
  });
}
