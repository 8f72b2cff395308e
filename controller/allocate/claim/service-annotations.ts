import { ipsAnnotation, poolAnnotation, shareAnnotation } from "../../../src/api/labels.ts";
import { metallbAnnotations } from "../../../src/api/metallb.ts";
import { annotationField } from "../../../src/model/reason.ts";
import type { ServiceView } from "../../../src/model/service.ts";

/** What a user may request in annotations. */
export type RequestAnnotation = "ips" | "pool" | "share";

/** The first that is set counts. MetalLB's are in the view only where they are to be honoured. */
const annotationsOf: Readonly<Record<RequestAnnotation, readonly string[]>> = {
  ips: [ipsAnnotation, ...metallbAnnotations("loadBalancerIPs")],
  pool: [poolAnnotation, ...metallbAnnotations("address-pool")],
  share: [shareAnnotation, ...metallbAnnotations("allow-shared-ip")],
};

/**
 * The text of the annotation without white space around it, as YAML block texts leave it, and how reasons name the field. Undefined: it
 * is not set. One without text counts as not set, because charts ship annotations empty to be filled in.
 */
export function serviceAnnotation(
  service: ServiceView,
  name: RequestAnnotation,
): { readonly field: string; readonly text: string } | undefined {
  for (const annotation of annotationsOf[name]) {
    const text = service.annotations[annotation]?.trim() ?? "";
    if (text !== "") return { field: annotationField(annotation), text };
  }
  return undefined;
}
