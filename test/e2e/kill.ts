import { waitFor } from "../lab/wait.ts";
import { productNamespace } from "../product/install.ts";
import type { Api } from "./api.ts";

interface PodList {
  readonly items: ReadonlyArray<{
    readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
    readonly spec: { readonly nodeName: string };
    readonly status: {
      readonly containerStatuses?: ReadonlyArray<{
        readonly containerID?: string;
        readonly ready: boolean;
        readonly restartCount: number;
      }>;
    };
  }>;
}

/** Kills every process of Bellhop's controller or speakers, or those on one node, with SIGKILL, as a crash would, and gives how many there were. */
export async function killComponent(api: Api, component: "controller" | "speaker", node?: string): Promise<number> {
  return (await prepareKill(api, component, node))();
}

/** The same in two steps, of which the second one does not need the API server. */
export async function prepareKill(
  api: Api,
  component: "controller" | "speaker",
  node?: string,
): Promise<() => Promise<number>> {
  const pods = (await listPods(api, component)).items.filter(({ spec }) => [undefined, spec.nodeName].includes(node));
  return () => killContainers(api, pods);
}

async function killContainers(api: Api, pods: PodList["items"]): Promise<number> {
  const killed = await Promise.all(
    pods.map(async (pod) => {
      const id = pod.status.containerStatuses?.[0]?.containerID?.replace("containerd://", "");
      if (id === undefined) return 0;
      const result = await api.lab.exec(pod.spec.nodeName, [
        "ctr",
        "--namespace",
        "k8s.io",
        "task",
        "kill",
        "--signal",
        "SIGKILL",
        id,
      ]);
      if (result.code !== 0) throw new Error(`${pod.metadata.name}: ${result.stderr}`);
      return 1 as number;
    }),
  );
  return killed.reduce((sum, one) => sum + one, 0);
}

/** How often the kubelets have restarted the component's containers, all together. */
export async function countRestarts(api: Api, component: "controller" | "speaker"): Promise<number> {
  const { items } = await listPods(api, component);
  return items.reduce((sum, pod) => sum + (pod.status.containerStatuses?.[0]?.restartCount ?? 0), 0);
}

/** Waits until as many containers as given have been restarted and all are ready. */
export async function waitForRestarts(api: Api, component: "controller" | "speaker", restarts: number): Promise<void> {
  await waitFor({ what: `the ${component} to be back`, timeoutMs: 120_000, intervalMs: 300 }, async () => {
    const { items } = await listPods(api, component);
    const ready = items.every((pod) => pod.status.containerStatuses?.[0]?.ready === true);
    return ready && (await countRestarts(api, component)) >= restarts;
  });
}

export function listPods(api: Api, component: string): Promise<PodList> {
  return api.lab.api<PodList>(
    "GET",
    `/api/v1/namespaces/${productNamespace}/pods?labelSelector=app.kubernetes.io/component=${component}`,
  );
}
