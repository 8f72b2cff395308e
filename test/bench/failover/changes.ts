import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../../lab/error.ts";
import type { Lab } from "../../lab/lab.ts";
import { bellhopInPod } from "../../product/controller-pod.ts";
import { productNamespace } from "../../product/install.ts";
import { type Cast, type PreparedFault, send, speakerProcess } from "./faults.ts";
import { speakerPod, writeOwners } from "./stage.ts";

/** What an administrator or the cluster does on purpose: no request may fail, and no open connection may end. */
export interface PlannedChange {
  readonly words: string;
  /** Asks Services with externalTrafficPolicy Local, whose pods serve for a while after they were deleted. */
  readonly local?: true;
  /** Its preparation has moved the addresses. */
  readonly moved?: true;
  /** How many trials at the most, where one is long. */
  readonly mostTrials?: number;
  prepare(cast: Cast, addresses: readonly string[]): Promise<PreparedFault>;
}

/** The label of the pods that Services with externalTrafficPolicy Local select. */
export const drainingApp = "draining";
/** How long such a pod serves after it was deleted, in s. */
export const drainingSeconds = 55;
const busyMs = 600_000;
const excludeLabel = "node.kubernetes.io/exclude-from-external-load-balancers";
/** The taint that cluster-autoscaler puts on a node before it deletes it (cluster-autoscaler/utils/taints). */
const autoscalerTaint = "ToBeDeletedByClusterAutoscaler";

/** Every planned change of `npm run bench -- failover`, by its name on the command line. */
export const changes: Readonly<Record<string, PlannedChange>> = {
  owners: {
    words: "owner list edited: the successor comes first",
    prepare: async ({ api, announcer, next, others }, addresses) => ({
      strike: async () => {
        await Promise.all(addresses.map((address) => writeOwners(api, address, [next, ...others, announcer])));
      },
      repair: async () => {},
    }),
  },
  move: {
    words: "`bellhop move` of each address to the successor",
    prepare: async ({ api, next }, addresses) => ({
      strike: async () => {
        await Promise.all(addresses.map((address) => bellhop(api.lab, ["move", address, next])));
      },
      repair: async () => {
        await Promise.all(addresses.map((address) => bellhop(api.lab, ["move", address, "--auto"])));
      },
    }),
  },
  drain: {
    words: "`bellhop drain` of the announcer",
    prepare: async ({ api, announcer }) => ({
      strike: () => bellhop(api.lab, ["drain", announcer]),
      repair: () => bellhop(api.lab, ["undrain", announcer]),
    }),
  },
  undrain: {
    words: "`bellhop undrain` of the node that announced before, to which addresses return",
    moved: true,
    prepare: async ({ api, announcer }) => {
      await bellhop(api.lab, ["drain", announcer]);
      return { strike: () => bellhop(api.lab, ["undrain", announcer]), repair: async () => {} };
    },
  },
  cordon: {
    words: "kubectl cordon of the announcer",
    prepare: ({ api, announcer }) => byKubectl(api.lab, ["cordon", announcer], ["uncordon", announcer]),
  },
  "exclude-label": {
    words: "announcer labelled to be excluded from load balancers",
    prepare: ({ api, announcer }) =>
      byKubectl(
        api.lab,
        ["label", "node", announcer, `${excludeLabel}=true`],
        ["label", "node", announcer, `${excludeLabel}-`],
      ),
  },
  "autoscaler-taint": {
    words: "announcer tainted by the cluster autoscaler",
    prepare: ({ api, announcer }) =>
      byKubectl(
        api.lab,
        ["taint", "node", announcer, `${autoscalerTaint}=1:PreferNoSchedule`],
        ["taint", "node", announcer, `${autoscalerTaint}-`],
      ),
  },
  leave: {
    words: "the announcer is cordoned, and its speaker is deleted at the same moment",
    prepare: async (cast) => {
      const { lab } = cast.api;
      const pod = await speakerPod(cast.api, cast.announcer);
      return {
        strike: async () => {
          const deletion = ["-n", productNamespace, "delete", "pod", pod, "--wait=false"];
          await Promise.all([lab.kubectl(["cordon", cast.announcer]), lab.kubectl(deletion)]);
        },
        repair: async () => {
          await lab.kubectl(["uncordon", cast.announcer]);
        },
      };
    },
  },
  restart: {
    words: "rolling restart of all speakers",
    prepare: async ({ api: { lab } }) => ({
      strike: async () => {
        const workload = ["-n", productNamespace, "rollout"];
        await lab.kubectl([...workload, "restart", "daemonset/bellhop-speaker"]);
        await lab.kubectl([...workload, "status", "daemonset/bellhop-speaker", "--timeout=150s"], undefined, 160_000);
      },
      repair: async () => {},
    }),
  },
  "local-pod": {
    words: "externalTrafficPolicy Local: the announcer's pod terminates",
    local: true,
    prepare: async ({ api, announcer }) => {
      const pods = await api.list("v1", "Pod");
      const pod = pods.find(
        ({ metadata, spec }) => metadata.labels?.app === drainingApp && spec.nodeName === announcer,
      );
      if (pod === undefined) throw new LabError("not-running", `${announcer} has no pod ${drainingApp}`);
      const argv = ["-n", api.namespace, "delete", "pod", pod.metadata.name, "--wait=false"];
      return byKubectl(api.lab, argv, undefined);
    },
  },
  shutdown: {
    words: "graceful shutdown of the announcer, as its kubelet reports it",
    prepare: async ({ api: { lab }, announcer }) => {
      const kubelet = kubeletProcess(lab, announcer);
      const ready = { type: "Ready", status: "False", reason: "KubeletNotReady", message: "node is shutting down" };
      const patch = JSON.stringify({ status: { conditions: [ready] } });
      return {
        strike: async () => {
          // It would report the truth again.
          send(kubelet, "SIGSTOP");
          await lab.kubectl(["patch", "node", announcer, "--subresource=status", "--type=strategic", "-p", patch]);
        },
        repair: async () => send(kubelet, "SIGCONT"),
      };
    },
  },
  upgrade: {
    words: "upgrade of the announcer's speaker: SIGTERM, and no other one starts, as while an image is pulled",
    prepare: async (cast) => {
      const kubelet = kubeletProcess(cast.api.lab, cast.announcer);
      const speaker = speakerProcess(cast);
      return {
        strike: async () => {
          send(kubelet, "SIGSTOP");
          send(speaker, "SIGTERM");
        },
        repair: async () => send(kubelet, "SIGCONT"),
      };
    },
  },
  busy: {
    words: "both cores busy for ten minutes",
    mostTrials: 1,
    prepare: async () => ({
      strike: async () => {
        const burners = Array.from({ length: 2 * availableParallelism() }, burn);
        try {
          await sleep(busyMs);
        } finally {
          for (const burner of burners) burner.kill("SIGKILL");
        }
      },
      repair: async () => {},
    }),
  },
};

function kubeletProcess(lab: Lab, node: string): { readonly pid: number } {
  const pid = lab.processId(`${node}.kubelet`);
  if (pid === undefined) throw new LabError("not-running", `${node} has no kubelet`);
  return { pid };
}

async function bellhop(lab: Lab, args: readonly string[]): Promise<void> {
  await lab.kubectl(bellhopInPod(args), undefined, 90_000);
}

async function byKubectl(
  lab: Lab,
  strike: readonly string[],
  repair: readonly string[] | undefined,
): Promise<PreparedFault> {
  return {
    strike: async () => {
      await lab.kubectl(strike);
    },
    repair: async () => {
      if (repair !== undefined) await lab.kubectl(repair);
    },
  };
}

/** A process that only uses a core. */
function burn(): ChildProcess {
  return spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" });
}
