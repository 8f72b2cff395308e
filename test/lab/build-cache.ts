import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type GoBuild, goBuild, goCompiler, hashModule } from "./go-build.ts";
import { withLock } from "./lock.ts";
import type { Progress } from "./progress.ts";
import { cacheFolder } from "./state.ts";

const SOURCES = join(import.meta.dirname, "binaries");
/** The Kubernetes of the lab. */
export const KUBERNETES_VERSION = "v1.36.2";
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

/** What upstream stamps into its releases. */
export const kubernetesStamps = {
  "k8s.io/component-base/version.gitVersion": KUBERNETES_VERSION,
  "k8s.io/component-base/version.gitMajor": "1",
  "k8s.io/component-base/version.gitMinor": "36",
  "k8s.io/component-base/version.gitTreeState": "clean",
};

/** Modules by their folder below `binaries`; outputs below the folder of all programs. */
const BUILDS: GoBuild[] = [
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

async function programsKey(): Promise<string> {
  const compiler = await goCompiler(join(SOURCES, "kubernetes"));
  const hash = createHash("sha256").update(JSON.stringify([compiler, BUILDS, KUBERNETES_NAMES]));
  for (const module of readdirSync(SOURCES).sort()) hashModule(hash, module, join(SOURCES, module));
  return hash.digest("hex").slice(0, 16);
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
      await progress.step(`Compile ${build.output}`, (note) => {
        return goBuild({ ...build, module: join(SOURCES, build.module), output: join(unfinished, build.output) }, note);
      });
    }
    for (const name of KUBERNETES_NAMES) symlinkSync("kubernetes", join(unfinished, "bin", name));
  });
  return { key, folder: join(folder, "bin"), agnhost: join(folder, "agnhost") };
}
