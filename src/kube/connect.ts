import { systemClock } from "../clock/clock.ts";
import { version } from "../settings/version.ts";
import { inClusterCredentials, isInCluster } from "./credentials.ts";
import { HttpsClient } from "./https-client.ts";
import { kubeconfigCredentials } from "./kubeconfig.ts";
import type { KubeMetrics } from "./metrics.ts";

/**
 * The client that this process is to use: a kubeconfig where one is named, else the pod's own account, else the user's
 * kubeconfig. Throws ConfigurationInvalid when there is none of them; does not speak to the API server yet.
 */
export async function connect(
  component: string,
  kubeconfig: string | undefined,
  metrics: KubeMetrics,
): Promise<HttpsClient> {
  const credentials =
    kubeconfig === undefined && isInCluster(process.env)
      ? await inClusterCredentials(process.env, systemClock)
      : await kubeconfigCredentials(systemClock, kubeconfig);
  return new HttpsClient({
    credentials,
    userAgent: `${component}/${version}`,
    observe: (method, status, seconds) => {
      metrics.requests.inc({ method, code: String(status) });
      metrics.requestSeconds.observe({ method }, seconds);
    },
  });
}
