import { systemClock } from "../clock/clock.ts";
import { inClusterCredentials, isInCluster } from "./credentials.ts";
import { HttpsClient } from "./https-client.ts";
import { kubeconfigCredentials } from "./kubeconfig.ts";
import type { KubeMetrics } from "./metrics.ts";

/**
 * The client for this process: by the kubeconfig or the context that is named, else the pod's own account, else the user's kubeconfig.
 * `userAgent` is `program/version`, as the API server logs it. Throws ConfigurationInvalid if there is none of them. Does not connect to
 * the API server yet.
 */
export async function connect(
  userAgent: string,
  { kubeconfig, context }: { readonly kubeconfig?: string | undefined; readonly context?: string | undefined },
  metrics: KubeMetrics,
): Promise<HttpsClient> {
  const credentials =
    kubeconfig === undefined && context === undefined && isInCluster(process.env)
      ? await inClusterCredentials(process.env, systemClock)
      : await kubeconfigCredentials(systemClock, kubeconfig, context);
  return new HttpsClient({
    credentials,
    userAgent,
    clock: systemClock,
    observe: (method, status, seconds) => {
      metrics.requests.inc({ method, code: String(status) });
      metrics.requestSeconds.observe({ method }, seconds);
    },
  });
}
