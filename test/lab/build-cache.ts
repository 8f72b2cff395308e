import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { runChecked } from "./command.ts";
import { LabError } from "./error.ts";
import { withLock } from "./lock.ts";
import type { Progress } from "./progress.ts";
import { cacheFolder } from "./state.ts";

const SOURCES = join(import.meta.dirname, "binaries");
const KUBERNETES_VERSION = "v1.36.2";
const CONTAINERD_VERSION = "v2.4.2";

/** The one program that is all of these, told apart by the name it is called by. */
const KUBERNETES_NAMES = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kube-proxy",
  "kubelet",
  "kubectl",
];

interface Build {
  module: string;
  package: string;
  /** Where it goes, below the folder of all programs; a folder when it ends with a slash. */
  output: string;
  /** Strings stamped into the program, by the name of the Go variable. */
  stamps: Record<string, string>;
}

const kubernetesStamps = {
  "k8s.io/component-base/version.gitVersion": KUBERNETES_VERSION,
  "k8s.io/component-base/version.gitMajor": "1",
  "k8s.io/component-base/version.gitMinor": "36",
  "k8s.io/component-base/version.gitTreeState": "clean",
};

const BUILDS: Build[] = [
  { module: "pause", package: ".", output: "bin/pause", stamps: {} },
  { module: "kubernetes", package: ".", output: "bin/kubernetes", stamps: kubernetesStamps },
  {
    module: "kubernetes",
    package: "k8s.io/kubernetes/test/images/agnhost",
    output: "agnhost",
    stamps: kubernetesStamps,
  },
  {
    module: "containerd",
    package: "tool",
    output: "bin/",
    stamps: { "github.com/containerd/containerd/v2/version.Version": CONTAINERD_VERSION },
  },
];

export interface Programs {
  /** Tells this set of programs from any other. */
  key: string;
  /** The folder with what runs in the lab, from etcd to pause. */
  folder: string;
  /** The program of the test image. */
  agnhost: string;
}

function buildEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, CGO_ENABLED: "0", GOWORK: "off", GOOS: "linux" };
}

async function programsKey(): Promise<string> {
  // Asked inside the module, because Go fetches another version of itself when the module wants a newer one.
  const options = { cwd: join(SOURCES, "kubernetes"), env: buildEnvironment(), timeoutMs: 600_000 };
  const compiler = await runChecked(["go", "env", "GOVERSION", "GOARCH"], options);
  const hash = createHash("sha256").update(JSON.stringify([compiler, BUILDS, KUBERNETES_NAMES]));
  for (const module of readdirSync(SOURCES).sort()) {
    for (const file of readdirSync(join(SOURCES, module)).sort()) {
      hash.update(`\0${module}/${file}\0`).update(readFileSync(join(SOURCES, module, file)));
    }
  }
  return hash.digest("hex").slice(0, 16);
}

async function goBuild(build: Build, folder: string, note: (text: string) => void): Promise<void> {
  const stamps = Object.entries(build.stamps).map(([variable, value]) => `-X ${variable}=${value}`);
  const args = ["build", "-v", "-buildvcs=false", "-trimpath", "-ldflags", ["-s -w", ...stamps].join(" ")];
  const child = spawn("go", [...args, "-o", join(folder, build.output), build.package], {
    cwd: join(SOURCES, build.module),
    env: buildEnvironment(),
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said: string[] = [];
  let compiled = 0;
  createInterface({ input: child.stderr }).on("line", (line) => {
    said.push(line);
    if (!line.includes(" ")) compiled += 1;
    note(line.startsWith("go: downloading ") ? line.slice(4) : `${compiled} packages  ${line}`);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", (cause) => reject(new LabError("build-failed", `go cannot be run: ${cause.message}`)));
    child.once("close", resolve);
  });
  if (code === 0) return;
  throw new LabError("build-failed", `go build ${build.package}: exit code ${code}\n${said.slice(-30).join("\n")}`);
}

/** Makes what is not in the cache yet: `make` fills a new folder, which becomes the cached one when it returns. Only one
 * process makes the same thing at a time; the others wait and then use it. */
export async function cached(
  kind: string,
  key: string,
  progress: Progress,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(cacheFolder(), `${kind}-${key}`);
  if (existsSync(folder)) return folder;
  const onWait = () => progress.say(`waiting for another process that makes ${folder}`);
  return withLock(`${folder}.lock`, onWait, async () => {
    if (existsSync(folder)) return folder;
    const unfinished = `${folder}.unfinished`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true });
    await make(unfinished);
    renameSync(unfinished, folder);
    return folder;
  });
}

/** The programs of the lab, compiled when this machine has not done so yet: about eight minutes on two cores. */
export async function buildPrograms(progress: Progress): Promise<Programs> {
  const key = await programsKey();
  const folder = await cached("programs", key, progress, async (unfinished) => {
    for (const build of BUILDS) {
      await progress.step(`Compile ${build.output}`, (note) => goBuild(build, unfinished, note));
    }
    for (const name of KUBERNETES_NAMES) symlinkSync("kubernetes", join(unfinished, "bin", name));
  });
  return { key, folder: join(folder, "bin"), agnhost: join(folder, "agnhost") };
}
