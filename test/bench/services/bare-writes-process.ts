import type { V1Service } from "@kubernetes/client-node";
import { groupVersion, timeText } from "../../../src/api/api.ts";
import { addressReadyCondition, managedByController, managedByLabel } from "../../../src/api/labels.ts";
import { parseAddress, virtualIpName } from "../../../src/ip/address.ts";
import { patchTypes } from "../../../src/kube/client.ts";
import { connect } from "../../../src/kube/connect.ts";
import { createKubeMetrics } from "../../../src/kube/metrics.ts";
import { ownPath, servicePath } from "../../../src/kube/path.ts";
import { createRegistry } from "../../../src/metrics/registry.ts";
import { loadBalancerFinalizer } from "../../../src/model/service.ts";

/**
 * Sends the two writes that the controller sends for each Service of a namespace, and does nothing else: no watches, plans or events.
 * What it reaches is the most that any controller can reach on this machine. Arguments: kubeconfig, namespace, requests under way at
 * once, how many Services. Prints the seconds that it took; undoes what it wrote when its input ends.
 */
const [kubeconfig = "", namespace = "", parallel = "", limit = ""] = process.argv.slice(2);
const client = await connect("bench", { kubeconfig }, createKubeMetrics(createRegistry()));
const services: V1Service[] = [];
await client.list({ path: `/api/v1/namespaces/${namespace}/services` }, (raw) => services.push(raw as V1Service));
services.splice(Number(limit));

function addressOf(index: number): string {
  return `fd30::2:${(index + 1).toString(16)}`;
}

function claimName(index: number): string {
  const address = parseAddress(addressOf(index));
  if (address === undefined) throw new RangeError(`no address for Service ${index}`);
  return virtualIpName(address);
}

async function write(index: number): Promise<void> {
  const { name = "", uid, resourceVersion } = services[index]?.metadata ?? {};
  const address = addressOf(index);
  await client.request({
    method: "POST",
    path: ownPath("virtualips"),
    body: {
      apiVersion: groupVersion,
      kind: "VirtualIP",
      metadata: { name: claimName(index), labels: { [managedByLabel]: managedByController } },
      spec: {
        address,
        pool: "bench",
        services: [{ namespace, name, uid }],
        owners: ["n1"],
        interfaces: [],
      },
    },
  });
  const condition = {
    type: addressReadyCondition,
    status: "True",
    reason: "AddressAssigned",
    message: `Assigned ${address} from pool "bench".`,
    lastTransitionTime: timeText(Date.now()),
  };
  await client.request({
    method: "PATCH",
    path: `${servicePath(namespace, name)}/status`,
    body: {
      metadata: { uid, resourceVersion, finalizers: [loadBalancerFinalizer] },
      status: {
        conditions: [condition],
        loadBalancer: { ingress: [{ ip: address, ipMode: "VIP", ports: [{ port: 80, protocol: "TCP" }] }] },
      },
    },
    contentType: patchTypes.strategic,
  });
}

async function undo(index: number): Promise<void> {
  const path = `${servicePath(namespace, services[index]?.metadata?.name ?? "")}/status`;
  await client.request({ method: "DELETE", path: ownPath("virtualips", claimName(index)) });
  const body = { metadata: { finalizers: null }, status: { conditions: null, loadBalancer: { ingress: null } } };
  await client.request({ method: "PATCH", path, body, contentType: patchTypes.merge });
}

async function forEach(work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < services.length) await work(next++);
  };
  await Promise.all(Array.from({ length: Number(parallel) }, worker));
}

const beganMs = performance.now();
await forEach(write);
process.stdout.write(`${(performance.now() - beganMs) / 1000}\n`);
process.stdin.resume().once("end", () => void forEach(undo).then(() => process.exit()));
