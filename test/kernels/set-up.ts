import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { arch } from "node:process";
import { runChecked } from "../lab/command.ts";
import { LabError } from "../lab/error.ts";
import type { Progress } from "../lab/progress.ts";
import { type Accelerator, chooseAccelerator } from "./accelerator.ts";

/** Debian packages by a file of each, beyond those of test/lab/setup/setup.sh. */
const packages = {
  "/usr/bin/qemu-system-x86_64": "qemu-system-x86",
  "/sbin/modprobe": "kmod",
  "/usr/bin/xz": "xz-utils",
} as const;

/** Installs what is missing on this machine. Throws LabError where it cannot. */
export async function installPrograms(progress: Progress): Promise<void> {
  if (process.getuid?.() !== 0) throw new LabError("not-running", "this needs root, as the tests in namespaces do");
  if (arch !== "x64") throw new LabError("not-running", "this needs an x86-64 machine: other kernels were not tried");
  const missing = Object.entries(packages).flatMap(([file, name]) => (existsSync(file) ? [] : [name]));
  if (missing.length === 0) return;
  await progress.step(`Install ${missing.join(" ")}`, async () => {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const options = { env, timeoutMs: 600_000 };
    await runChecked(["apt-get", "update"], options);
    await runChecked(["apt-get", "install", "-y", "--no-install-recommends", ...missing], options);
  });
}

/** What QEMU can run a virtual machine by, here. */
export function findAccelerator(): Accelerator {
  return chooseAccelerator(canUse("/dev/kvm"), readFileSync("/proc/cpuinfo", "utf8"));
}

function canUse(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
