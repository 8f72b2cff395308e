import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { LabError } from "../lab/error.ts";
import type { Accelerator } from "./accelerator.ts";

export interface VirtualMachine {
  readonly accelerator: Accelerator;
  /** The kernel. */
  readonly image: string;
  /** The archive of the files with which it begins. */
  readonly initialFiles: string;
  /** A folder that it may write. Everything else of this machine it can only read. */
  readonly results: string;
  /** A file for what its kernel and its scripts print. */
  readonly log: string;
}

/** Without the wide vector instructions, which are slow when they are translated. */
const processors = { kvm: "host", tcg: "Nehalem" } as const;

/**
 * Runs a virtual machine with two processors, 2 GiB and no network, until it switches itself off: `ended`. It is killed after the limit, or when
 * the signal is aborted. Throws LabError where QEMU cannot be started or fails.
 */
export async function runVirtualMachine(
  machine: VirtualMachine,
  limitMs: number,
  stop: AbortSignal,
): Promise<"ended" | "killed"> {
  const { kind } = machine.accelerator;
  const log = openSync(machine.log, "w");
  try {
    const child = spawn(
      "qemu-system-x86_64",
      [
        ...["-accel", kind === "tcg" ? "tcg,thread=multi" : kind, "-cpu", processors[kind], "-smp", "2", "-m", "2048"],
        ...["-kernel", machine.image, "-initrd", machine.initialFiles],
        ...["-append", "console=ttyS0 panic=-1 quiet mitigations=off random.trust_cpu=on"],
        ...["-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot", "-nic", "none"],
        ...["-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap"],
        ...["-virtfs", `local,path=${machine.results},mount_tag=results,security_model=none`],
      ],
      { stdio: ["ignore", log, log] },
    );
    let killed = false;
    const kill = () => {
      killed = true;
      child.kill("SIGKILL");
    };
    const timer = setTimeout(kill, limitMs);
    stop.addEventListener("abort", kill, { once: true });
    try {
      const code = await new Promise<number | null>((resolve, reject) => {
        child.once("error", reject);
        child.once("close", resolve);
      });
      if (killed) return "killed";
      if (code !== 0) throw new LabError("command-failed", `QEMU has ended with ${code}: see ${machine.log}`);
      return "ended";
    } finally {
      clearTimeout(timer);
      stop.removeEventListener("abort", kill);
    }
  } finally {
    closeSync(log);
  }
}
