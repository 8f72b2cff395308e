import type { V1Lease } from "@kubernetes/client-node";
import { leaderLeaseName, settingsAnnotation } from "../../src/api/labels.ts";
import { ApiError } from "../../src/kube/api-error.ts";
import type { ApiClient } from "../../src/kube/client.ts";
import { listCollection } from "../../src/kube/list.ts";
import { leasePath } from "../../src/kube/path.ts";
import { type PublishedSettings, parsePublishedSettings } from "../../src/settings/published-settings.ts";

/**
 * Returns the settings of the controller that leads, or of the last one that led. Undefined if none has written them, or if the user
 * may not read them. Lists with a selector, because that is what the Role bellhop-explain allows.
 */
export async function readControllerSettings(
  client: ApiClient,
  namespace: string,
): Promise<PublishedSettings | undefined> {
  let text: string | undefined;
  const take = (raw: unknown): void => {
    const { metadata } = raw as V1Lease;
    if (metadata?.name === leaderLeaseName) text = metadata.annotations?.[settingsAnnotation];
  };
  try {
    const query = { fieldSelector: `metadata.name=${leaderLeaseName}` };
    await listCollection(client, { path: leasePath(namespace), query, take });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status === 401) throw error;
  }
  return parsePublishedSettings(text);
}
