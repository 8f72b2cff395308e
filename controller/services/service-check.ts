import type { V1Namespace, V1Service } from "@kubernetes/client-node";
import type { ApiClient } from "../../src/kube/client.ts";
import { getObject } from "../../src/kube/get-object.ts";
import { namespacePath, servicePath } from "../../src/kube/path.ts";
import { projectNamespace } from "../../src/model/namespace.ts";
import { concernsController, type ServiceView } from "../../src/model/service.ts";
import { serviceKeyOf } from "../../src/model/service-reference.ts";
import type { Claim } from "../allocate/claim/claim.ts";

/**
 * Whether the Service certainly no longer needs the claim, whatever happened to it since it was seen: a deletion is never taken back,
 * and a uid is never used again.
 */
export function isCertainlyLeaving(service: ServiceView | undefined, { services }: Claim): boolean {
  if (service?.deleting !== true) return false;
  const reference = services.find((candidate) => serviceKeyOf(candidate) === service.key);
  return reference?.uid === service.uid;
}

/**
 * Asks the API server whether a Service is unchanged since it was seen. `seen` undefined: whether there is still none for us. The watches
 * of Services and VirtualIPs are not in step: a claim that another controller, or we before a restart, created for the newest version
 * of a Service may be seen together with an older version that does not need it.
 */
export async function isUnchanged(client: ApiClient, key: string, seen: ServiceView | undefined): Promise<boolean> {
  const [namespace = "", name = ""] = key.split("/");
  const service = (await getObject(client, servicePath(namespace, name))) as V1Service | undefined;
  if (service === undefined) return seen === undefined;
  // A Service that does not concern us is not in the views, though it exists.
  if (seen === undefined) return !concernsController(service);
  return service.metadata?.uid === seen.uid && service.metadata.resourceVersion === seen.resourceVersion;
}

/**
 * Asks the API server for the labels of a namespace. The watches of Services and Namespaces are not in step: a Service may be seen
 * before its new namespace. Without the namespace there are no labels, and soon no Service either.
 */
export async function readNamespaceLabels(client: ApiClient, name: string): Promise<Readonly<Record<string, string>>> {
  const namespace = (await getObject(client, namespacePath(name))) as V1Namespace | undefined;
  return namespace === undefined ? {} : projectNamespace(namespace).labels;
}
