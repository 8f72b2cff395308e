import { ipsAnnotation, poolAnnotation, shareAnnotation } from "../../../src/api/labels.ts";
import { metallbAnnotations } from "../../../src/api/metallb.ts";
import { annotationField } from "../../../src/model/reason.ts";
import type { ServiceView } from "../../../src/model/service.ts";

/** What a user may write in annotations about the address of a Service. */
export type RequestAnnotation = "ips" | "pool" | "share";

/** The first that is there counts. MetalLB's are in the view only where they are to be honoured. */
const annotationsOf: Readonly<Record<RequestAnnotation, readonly string[]>> = {
  ips: [ipsAnnotation, ...metallbAnnotations("loadBalancerIPs")],
  pool: [poolAnnotation, ...metallbAnnotations("address-pool")],
  share: [shareAnnotation, ...metallbAnnotations("allow-shared-ip")],
};

/** What the user wrote, and how reasons name the place; undefined: nothing. */
export function serviceAnnotation(
  service: ServiceView,
  name: RequestAnnotation,
): { readonly field: string; readonly text: string } | undefined {
  for (const annotation of annotationsOf[name]) {
    const text = service.annotations[annotation];
    if (text !== undefined) return { field: annotationField(annotation), text };
  }
  return undefined;
}
