import { leasePath, ownPath } from "../../../../src/kube/path.ts";
import { ownersTermOf } from "../../../../src/placement/owner-assignment.ts";
import { defaultNamespaceLimits } from "../../../../src/settings/controller-settings.ts";
import type { Cluster } from "../fake-cluster/cluster.ts";

export const namespace = "bellhop-system";

/** What the commands read the cluster with. */
export function accessTo({ server: client, clock }: Cluster) {
  return { client, namespace, clock, limits: defaultNamespaceLimits };
}

/** Says that a controller leads. */
export async function addLeader({ server, clock }: Cluster): Promise<void> {
  const renewTime = new Date(clock.wallMs()).toISOString();
  const spec = { holderIdentity: "test", leaseDurationSeconds: 3600, renewTime };
  await server.request({
    method: "POST",
    path: leasePath(namespace),
    body: { metadata: { name: "bellhop-controller" }, spec },
  });
}

/** Each first owner announces its addresses, as its speaker would. */
export async function announceAll(cluster: Cluster, except: readonly string[] = []): Promise<void> {
  for (const object of await cluster.virtualIps()) {
    const [node] = object.spec.owners;
    if (node === undefined || object.status?.node === node || except.includes(node)) continue;
    const status = { node, observedGeneration: ownersTermOf(object) };
    const path = `${ownPath("virtualips", object.metadata.name)}/status`;
    await cluster.patch(path, { status });
  }
}

/** The outcome, while time passes and the speakers announce. `except`: nodes whose speakers do not begin to announce. */
export async function whileServed<Outcome>(
  cluster: Cluster,
  work: Promise<Outcome>,
  except: readonly string[] = [],
): Promise<Outcome> {
  let done = false;
  const finish = (): void => {
    done = true;
  };
  work.then(finish, finish);
  for (let turn = 0; !done && turn < 1_000; turn++) {
    await cluster.pass(250);
    await announceAll(cluster, except);
  }
  return work;
}
