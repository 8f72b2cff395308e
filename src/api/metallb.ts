/** Group and version of MetalLB's objects, whose fields are those of our own kinds. */
export const metallbGroupVersion = "metallb.io/v1beta1";

/** What of MetalLB is honoured besides our own objects, annotations and class. */
export interface MetallbCompatibility {
  /** Where its pools and advertisements are. */
  readonly namespace: string;
  /** Its --lb-class: Services of this class are ours. Undefined: no class of MetalLB is. */
  readonly loadBalancerClass?: string | undefined;
}

/** The present prefix of MetalLB's annotations, and the one before version 0.14. */
const annotationPrefixes = ["metallb.io/", "metallb.universe.tf/"];

/** Both names of an annotation of MetalLB; the first that is there counts. */
export function metallbAnnotations(name: string): readonly string[] {
  return annotationPrefixes.map((prefix) => `${prefix}${name}`);
}

/** Whether it is one of the annotations by which users of MetalLB ask for addresses. */
export function isMetallbAnnotation(annotation: string): boolean {
  return ["loadBalancerIPs", "address-pool", "allow-shared-ip"].some((name) =>
    metallbAnnotations(name).includes(annotation),
  );
}
