import { randomUUID } from "node:crypto";
import { release } from "node:os";
import { type Clock, pause } from "../src/clock/clock.ts";
import { ApiEventRecorder } from "../src/kube/event-recorder.ts";
import { lacksFamily, type Nft, refusalOf } from "../src/nft/nft.ts";
import type { NftIpFamily } from "../src/nft/transaction.ts";
import { socketNft } from "../src/nft-netlink/socket-nft.ts";
import { runProgram } from "../src/program/run-program.ts";
import type { SpeakerSettings } from "../src/settings/speaker-settings.ts";
import { openGroupSocket } from "./announce/group-socket.ts";
import { findMissingFeatures, removeSelfTest } from "./dataplane/self-test.ts";
import { probeTableOf, removeTable, removeTableOf } from "./dataplane/tables.ts";
import { readHostSettings } from "./host-checks/host-settings.ts";
import { readNodePortAddresses } from "./host-checks/kube-proxy-config.ts";
import { readSettingFile } from "./host-checks/setting-file.ts";
import { createKernel } from "./kernel/kernel.ts";
import { stakeFileIn } from "./last-stakes/stake-file.ts";
import { probeKubelet } from "./peers/kubelet-probe.ts";
import { createResponder } from "./responder/responder.ts";
import { Speaker } from "./speaker.ts";

/**
 * Runs the speaker of this node until the signal is aborted, and then stops at once: the kernel continues to forward, and the lease
 * is left to expire. Throws when it cannot start or when its responder thread dies.
 */
export async function runSpeaker(settings: SpeakerSettings, signal: AbortSignal): Promise<void> {
  await runProgram("bellhop-speaker", settings, signal, (program) => {
    const { client, clock, log, registry } = program;
    const speaker = new Speaker({
      ...program,
      settings,
      events: new ApiEventRecorder({
        client,
        component: "bellhop-speaker",
        instance: settings.node,
        clock,
        log: log.child({ component: "events" }),
        registry,
      }),
      createKernel,
      findMissingFeatures,
      createResponder,
      stakeFile: stakeFileIn(settings.stateDirectory),
      openGroupSocket,
      probeKubelet,
      readHostSettings: (links) => readHostSettings(links, readSettingFile),
      readNodePortAddresses,
      kernelRelease: release(),
      bootNonce: randomUUID(),
    });
    return {
      unready: () => speaker.unready,
      facts: { node: settings.node, namespace: settings.namespace },
      run: (ending) => speaker.run(ending),
    };
  });
}

/**
 * Removes Bellhop's tables from the kernel of this node, whether they are there or not; for uninstalling. Tracked
 * connections continue, except those that are rewritten to node ports on request. Throws BellhopError NftFailed after both families were tried.
 */
export async function removeRules(nft: Nft = socketNft): Promise<void> {
  const families: readonly NftIpFamily[] = ["ip", "ip6"];
  const results = await Promise.allSettled(families.map((family) => removeTables(nft, family)));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

async function removeTables(nft: Nft, family: NftIpFamily): Promise<void> {
  const others = [...removeSelfTest(family), ...removeTableOf(probeTableOf(family))];
  try {
    await nft.run({ commands: [...removeTable(family), ...others] });
  } catch (error) {
    // A kernel without IPv6 has no table of it.
    if (!lacksFamily(refusalOf(error)?.faults ?? [])) throw error;
  }
}

/** How often the rules are removed while a speaker may still write them. */
const repeatMs = 10_000;

/**
 * Removes the tables now, every ten seconds, and once more when the signal is aborted: by then no speaker should run that would write them.
 * Throws what the last removal throws.
 */
export async function keepRulesRemoved(signal: AbortSignal, clock: Clock, nft: Nft = socketNft): Promise<void> {
  while (!signal.aborted) {
    // An attempt that fails is followed by others.
    await removeRules(nft).catch(() => {});
    await pause(clock, repeatMs, signal);
  }
  await removeRules(nft);
}
