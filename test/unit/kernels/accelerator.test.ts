import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { chooseAccelerator } from "../../kernels/accelerator.ts";

describe("how QEMU runs a virtual machine", () => {
  const cases = [
    { name: "Intel", device: true, flags: "fpu vme vmx ssse3", kind: "kvm" },
    { name: "AMD, at the end of the line", device: true, flags: "fpu svm", kind: "kvm" },
    {
      name: "a device of a hypervisor for its own kernels only",
      device: true,
      flags: "fpu vme avx512vmx",
      kind: "tcg",
    },
    { name: "no device", device: false, flags: "fpu vmx", kind: "tcg" },
  ] as const;
  for (const { name, device, flags, kind } of cases) {
    test(name, () => {
      const chosen = chooseAccelerator(device, `processor\t: 0\nflags\t\t: ${flags}\nbugs\t\t: spectre_v1\n`);
      assert.equal(chosen.kind, kind);
    });
  }

  test("a reason is given where it is slow", () => {
    const without = chooseAccelerator(false, "");
    const useless = chooseAccelerator(true, "flags : fpu\n");
    assert.ok(without.kind === "tcg" && useless.kind === "tcg");
    assert.notEqual(without.why, useless.why);
  });
});
