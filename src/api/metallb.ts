/** Group and version of MetalLB's objects, whose fields are those of our own kinds. */
export const metallbGroupVersion = "metallb.io/v1beta1";

/** Which objects, annotations and class of MetalLB are honoured besides Bellhop's own. */
export interface MetallbCompatibility {
  /** The namespace of its pools and advertisements. */
  readonly namespace: string;
  /** Its --lb-class: Services of this class are ours. Undefined: no class of MetalLB is. */
  readonly loadBalancerClass?: string | undefined;
}

/** The current prefix of MetalLB's annotations, and the one before version 0.14. */
const annotationPrefixes = ["metallb.io/", "metallb.universe.tf/"];

/** Both names of an annotation of MetalLB; the first one that is set counts. */
export function metallbAnnotations(name: string): readonly string[] {
  return annotationPrefixes.map((prefix) => `${prefix}${name}`);
}

/** Whether it is one of the annotations by which users of MetalLB request addresses. */
export function isMetallbAnnotation(annotation: string): boolean {
  return ["loadBalancerIPs", "address-pool", "allow-shared-ip"].some((name) =>
    metallbAnnotations(name).includes(annotation),
  );
}
