import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "../../e2e/api.ts";
import { LabError } from "../../lab/error.ts";
import type { ProcessRecord } from "../../lab/processes.ts";
import { productNamespace } from "../../product/install.ts";
import { speakerPod } from "./stage.ts";

/** The nodes of a trial: the one that announces the measured addresses, and the next ones of their owner lists. */
export interface Cast {
  readonly api: Api;
  readonly announcer: string;
  readonly next: string;
  readonly others: readonly string[];
}

/** A fault that has been prepared up to the point where only one quick step is left. */
export interface PreparedFault {
  strike(): Promise<void>;
  repair(): Promise<void>;
}

export interface Fault {
  readonly words: string;
  /** Whether `prepare` makes another node announce the addresses already. */
  readonly moved?: true;
  prepare(cast: Cast): Promise<PreparedFault>;
}

/** After so long another node announces the addresses, even where only the Lease tells. */
const movedMs = 15_000;

/** Hosts that are not nodes and must stay together with the clients. */
const clientSide = ["control", "router", "client", "observer"];

/** Every fault of `npm run bench -- failover`, by its name on the command line. The announcer is the node that announces the measured addresses. */
export const faults: Readonly<Record<string, Fault>> = {
  cable: {
    words: "cable of the announcer pulled: it sees no carrier",
    prepare: async ({ api: { lab }, announcer }) => ({
      strike: () => lab.cutNode(announcer),
      repair: () => lab.restoreNode(announcer),
    }),
  },
  "silent-cable": {
    words: "switch loses all its frames: it keeps its carrier",
    prepare: ({ api: { lab }, announcer }) => lost(lab, () => lab.silenceHost(announcer)),
  },
  "cable-in": {
    words: "cable put back after 15 s",
    moved: true,
    prepare: async ({ api: { lab }, announcer }) => {
      await lab.cutNode(announcer);
      await sleep(movedMs);
      return { strike: () => lab.restoreNode(announcer), repair: async () => {} };
    },
  },
  power: {
    words: "power of the announcer off",
    prepare: async ({ api: { lab }, announcer }) => ({
      strike: () => lab.stopNode(announcer),
      repair: () => lab.startNode(announcer),
    }),
  },
  "one-way-in": {
    words: "the announcer hears all, and none hears it",
    prepare: ({ api: { lab }, announcer }) => lost(lab, () => lab.muteHost(announcer)),
  },
  "one-way-out": {
    words: "all hear the announcer, and it hears none",
    prepare: ({ api: { lab }, announcer }) => lost(lab, () => lab.deafenHost(announcer)),
  },
  paused: {
    words: "the announcer paused as a virtual machine is: nothing runs, and its kernel is silent",
    prepare: async ({ api: { lab }, announcer }) => ({
      strike: async () => {
        await lab.silenceHost(announcer);
        await lab.freezeNode(announcer);
      },
      repair: async () => {
        await lab.thawNode(announcer);
        await lab.deliverFrames();
      },
    }),
  },
  frozen: {
    words: "all processes of the announcer frozen: its kernel forwards as before",
    prepare: async ({ api: { lab }, announcer }) => ({
      strike: () => lab.freezeNode(announcer),
      repair: () => lab.thawNode(announcer),
    }),
  },
  "speaker-killed": {
    words: "speaker of the announcer killed with SIGKILL",
    prepare: (cast) => signalled(cast, "SIGKILL"),
  },
  "speaker-stopped": {
    words: "speaker of the announcer stopped with SIGSTOP",
    prepare: (cast) => signalled(cast, "SIGSTOP"),
  },
  "speaker-paused": {
    words: "speaker of the announcer stopped for 1 s: a false death",
    prepare: async (cast) => {
      const { strike, repair } = await signalled(cast, "SIGSTOP");
      const process = speakerProcess(cast);
      return {
        strike: async () => {
          await strike();
          await sleep(1_000);
          send(process, "SIGCONT");
        },
        repair,
      };
    },
  },
  "speaker-blocked": {
    words: "main thread of the announcer's speaker blocked",
    prepare: async (cast) => {
      const { lab } = cast.api;
      const process = speakerProcess(cast);
      let thaw = async () => {};
      return {
        strike: async () => {
          thaw = (await lab.freezeMainThread(process)).thaw;
        },
        repair: () => thaw(),
      };
    },
  },
  "api-server": {
    words: "API server killed",
    prepare: async ({ api: { lab } }) => ({
      strike: () => lab.stopApiServer(),
      repair: () => lab.startApiServer(),
    }),
  },
  "api-cut": {
    words: "the announcer cut off from the API server only",
    prepare: ({ api: { lab }, announcer }) => lost(lab, () => lab.splitLan([announcer], ["control"])),
  },
  partition: {
    words: "LAN in two halves: announcer and successor on one, the clients on the other",
    prepare: (cast) => lost(cast.api.lab, () => split(cast)),
  },
  healing: {
    words: "these halves are one LAN again after 15 s",
    moved: true,
    prepare: async (cast) => {
      await split(cast);
      await sleep(movedMs);
      return { strike: () => cast.api.lab.deliverFrames(), repair: async () => {} };
    },
  },
  "two-nodes": {
    words: "cables of the announcer and of its successor pulled together",
    prepare: async ({ api: { lab }, announcer, next }) => ({
      strike: async () => {
        await Promise.all([lab.cutNode(announcer), lab.cutNode(next)]);
      },
      repair: async () => {
        await Promise.all([lab.restoreNode(announcer), lab.restoreNode(next)]);
      },
    }),
  },
};

type Lab = Api["lab"];

async function lost(lab: Lab, strike: () => Promise<void>): Promise<PreparedFault> {
  return { strike, repair: () => lab.deliverFrames() };
}

function split({ api, announcer, next, others }: Cast): Promise<void> {
  return api.lab.splitLan([announcer, next], [...others, ...clientSide]);
}

/** The speaker's process on the announcer. */
export function speakerProcess({ api, announcer }: Cast): ProcessRecord {
  const [found, ...more] = api.lab.findInPods(announcer, "/bellhop.js speaker");
  if (found !== undefined && more.length === 0) return found;
  throw new LabError("not-running", `${announcer} has ${more.length + (found === undefined ? 0 : 1)} speakers`);
}

export function send({ pid }: Pick<ProcessRecord, "pid">, signal: NodeJS.Signals): void {
  process.kill(pid, signal);
}

/** A speaker that gets a signal. It is replaced afterwards: the kubelet restarts a container later and later that has died before. */
async function signalled(cast: Cast, signal: NodeJS.Signals): Promise<PreparedFault> {
  const speaker = speakerProcess(cast);
  const pod = await speakerPod(cast.api, cast.announcer);
  return {
    strike: async () => send(speaker, signal),
    repair: async () => {
      if (signal === "SIGSTOP") send(speaker, "SIGCONT");
      await cast.api.lab.kubectl(["-n", productNamespace, "delete", "pod", pod, "--wait=true", "--timeout=60s"]);
    },
  };
}
