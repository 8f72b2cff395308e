import type { V1Service } from "@kubernetes/client-node";
import { isNotFound } from "../../src/kube/api-error.ts";
import type { ApiClient } from "../../src/kube/client.ts";
import { servicePath } from "../../src/kube/path.ts";
import { concernsController, type ServiceView } from "../../src/model/service.ts";
import { serviceKeyOf } from "../../src/model/service-reference.ts";
import type { Claim } from "../allocate/claim/claim.ts";

/**
 * Whether the Service itself says, whatever else has happened to it since, that the claim is not for it any more: a deletion is
 * never taken back, and a uid never comes again.
 */
export function isCertainlyLeaving(service: ServiceView | undefined, { services }: Claim): boolean {
  if (service?.deleting !== true) return false;
  const reference = services.find((candidate) => serviceKeyOf(candidate) === service.key);
  return reference?.uid === service.uid;
}

/**
 * Asks the API server whether a Service is just as it was seen; `seen` undefined: whether there is none for us. The watches of Services
 * and of VirtualIPs do not run in step, so a claim that another controller, or we ourselves before a restart, made for the newest
 * form of a Service may be seen together with an older form that has no right to it.
 */
export async function isUnchanged(client: ApiClient, key: string, seen: ServiceView | undefined): Promise<boolean> {
  const [namespace = "", name = ""] = key.split("/");
  try {
    const { body } = await client.request({ method: "GET", path: servicePath(namespace, name) });
    const service = body as V1Service;
    // One that has nothing to do with us is not seen, though it is there.
    if (seen === undefined) return !concernsController(service);
    return service.metadata?.uid === seen.uid && service.metadata.resourceVersion === seen.resourceVersion;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return seen === undefined;
  }
}
