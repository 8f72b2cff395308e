import { loadAddressInput, loadPoolsInput, loadServiceInput } from "../../../../controller/collect/load-inputs.ts";
import { explainAddress } from "../../../../controller/explain/address/explain.ts";
import type { AddressExplanation } from "../../../../controller/explain/address/explanation.ts";
import { parsePoolManifest } from "../../../../controller/explain/pools/manifest.ts";
import { planPools } from "../../../../controller/explain/pools/plan-pools.ts";
import type { PoolsPlan } from "../../../../controller/explain/pools/pools-plan.ts";
import { explainService } from "../../../../controller/explain/service/explain.ts";
import type { ServiceExplanation } from "../../../../controller/explain/service/explanation.ts";
import { type Clock, systemClock } from "../../../../src/clock/clock.ts";
import { parseAddress } from "../../../../src/ip/address.ts";
import { leasePath, ownPath } from "../../../../src/kube/path.ts";
import { defaultNamespaceLimits } from "../../../../src/settings/controller-settings.ts";
import type { Cluster } from "../fake-cluster/cluster.ts";

export const namespace = "bellhop-system";

/** Ten seconds after the leases of the fake cluster were renewed. */
export const clock: Clock = { ...systemClock, wallMs: () => Date.parse("2026-01-01T00:00:10Z") };

export async function askService(
  cluster: Cluster,
  name: string,
  defaultClass = true,
  limits = defaultNamespaceLimits,
): Promise<ServiceExplanation> {
  const service = { namespace: "default", name };
  const access = { client: cluster.server, namespace, clock, limits };
  return explainService(await loadServiceInput({ ...access, service, defaultClass }));
}

export async function askAddress(
  cluster: Cluster,
  text: string,
  limits = defaultNamespaceLimits,
): Promise<AddressExplanation> {
  const address = parseAddress(text);
  if (address === undefined) throw new TypeError(`${text} is no address`);
  return explainAddress(await loadAddressInput({ client: cluster.server, namespace, clock, limits }, address));
}

export async function askPlan(cluster: Cluster, text: string): Promise<PoolsPlan> {
  const manifests = [parsePoolManifest("new.yaml", text)];
  return planPools(
    await loadPoolsInput({ client: cluster.server, namespace, clock, limits: defaultNamespaceLimits }, manifests),
  );
}

/** Somebody leads. */
export async function addLeader(cluster: Cluster): Promise<void> {
  const spec = { holderIdentity: "test", leaseDurationSeconds: 3600, renewTime: "2026-01-01T00:00:00.000000Z" };
  const body = { metadata: { name: "bellhop-controller" }, spec };
  await cluster.server.request({ method: "POST", path: leasePath(namespace), body });
}

/** The speaker of the node says that it announces the address. */
export async function announce(cluster: Cluster, name: string, status: Record<string, unknown>): Promise<void> {
  const path = `${ownPath("virtualips", name)}/status`;
  await cluster.patch(path, { status });
}

/** Endpoints of a Service of the fake cluster, each on a node, ready or not. */
export async function addEndpoints(
  cluster: Cluster,
  service: string,
  endpoints: readonly { readonly nodeName: string; readonly ready: boolean; readonly forNode?: string }[],
): Promise<void> {
  const body = {
    metadata: { name: `${service}-1`, labels: { "kubernetes.io/service-name": service } },
    addressType: "IPv4",
    ports: [{ name: "", protocol: "TCP", port: 8080 }],
    endpoints: endpoints.map(({ nodeName, ready, forNode }, index) => ({
      addresses: [`10.244.0.${index + 1}`],
      nodeName,
      conditions: { ready },
      ...(forNode === undefined ? {} : { hints: { forNodes: [{ name: forNode }] } }),
    })),
  };
  const path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
  await cluster.server.request({ method: "POST", path, body });
}
