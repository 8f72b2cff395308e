/** How QEMU runs a virtual machine: by the processor itself, or by translating its instructions, which is ten times slower or more. */
export type Accelerator =
  | { readonly kind: "kvm" }
  /** `why`: for people. */
  | { readonly kind: "tcg"; readonly why: string };

/**
 * Chooses from whether /dev/kvm can be opened, and from /proc/cpuinfo. The device alone is not enough: it also exists where only kernels made for this
 * hypervisor can be run (PVM), and Debian's hang there before their first line.
 */
export function chooseAccelerator(hasDevice: boolean, cpuinfo: string): Accelerator {
  if (!hasDevice) return { kind: "tcg", why: "there is no /dev/kvm that can be opened" };
  if (!/^flags\s*:.*\b(?:vmx|svm)\b/m.test(cpuinfo))
    return { kind: "tcg", why: "there is a /dev/kvm, but the processor has neither vmx nor svm" };
  return { kind: "kvm" };
}
