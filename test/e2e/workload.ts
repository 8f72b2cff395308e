import type { V1EndpointSlice } from "@kubernetes/client-node";
import { waitFor } from "../lab/wait.ts";
import type { Api, ApiObject } from "./api.ts";

export const agnhostImage = "registry.k8s.io/e2e-test-images/agnhost:2.63.0";

/**
 * A DaemonSet of agnhost's netexec on every node, or on those with the labels: HTTP and UDP on 8080. With `graceSeconds`, a pod that is
 * deleted serves so long before it ends. Returns when all pods are ready.
 */
export async function startWeb(
  api: Api,
  name = "web",
  nodeSelector: Readonly<Record<string, string>> = {},
  graceSeconds = 0,
): Promise<void> {
  await api.apply({
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: graceSeconds === 0 ? 0 : graceSeconds + 5,
          nodeSelector,
          containers: [
            {
              name: "web",
              image: agnhostImage,
              imagePullPolicy: "IfNotPresent",
              args: ["netexec", "--http-port=8080", "--udp-port=8080", `--delay-shutdown=${graceSeconds}`],
              readinessProbe: { httpGet: { path: "/readyz", port: 8080 }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  });
  await api.lab.kubectl(
    ["-n", api.namespace, "rollout", "status", `daemonset/${name}`, "--timeout=60s"],
    undefined,
    70_000,
  );
}

/** A LoadBalancer Service, of both families where the cluster has them, for that DaemonSet with TCP and UDP on port 80; `spec` and `metadata` are laid over it. */
export function createService(
  api: Api,
  name: string,
  spec: Record<string, unknown> = {},
  app = "web",
  metadata: Record<string, unknown> = {},
): Promise<ApiObject> {
  return api.apply({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, ...metadata },
    spec: {
      type: "LoadBalancer",
      ipFamilyPolicy: api.lab.options.families === "dual" ? "RequireDualStack" : "SingleStack",
      selector: { app },
      ports: [
        { name: "http", protocol: "TCP", port: 80, targetPort: 8080 },
        { name: "dgram", protocol: "UDP", port: 80, targetPort: 8080 },
      ],
      ...spec,
    },
  });
}

/**
 * Waits until an EndpointSlice of this very Service has a ready endpoint. On a busy machine the cluster writes it well after the Service has
 * its address, and until then a connection is refused, as it must be. A slice of a deleted Service of the same name does not count.
 */
export async function waitForEndpoints(api: Api, name: string): Promise<void> {
  const { metadata } = await api.get("v1", "Service", name);
  await waitFor({ what: `ready endpoints of Service ${name}`, timeoutMs: 20_000 }, async () => {
    const slices = (await api.list("discovery.k8s.io/v1", "EndpointSlice")) as unknown as readonly V1EndpointSlice[];
    return slices.some(
      (slice) =>
        slice.metadata?.ownerReferences?.some(({ uid }) => uid === metadata.uid) === true &&
        slice.endpoints?.some(({ conditions }) => conditions?.ready === true) === true,
    );
  });
}
