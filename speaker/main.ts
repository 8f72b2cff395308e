import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { release } from "node:os";
import { createNft } from "../src/nft/nft.ts";
import { runProgram } from "../src/program/run-program.ts";
import type { SpeakerSettings } from "../src/settings/speaker-settings.ts";
import { openGroupSocket } from "./announce/group-socket.ts";
import { createConntrack } from "./dataplane/conntrack.ts";
import { familiesWithoutForwarding } from "./links/ip-forwarding.ts";
import { readLinks, systemLinkSource } from "./links/read.ts";
import { startResponder } from "./responder/responder.ts";
import { Speaker } from "./speaker.ts";

/**
 * Runs the speaker of this node until the signal is aborted, and then ends at once: the kernel goes on forwarding, and the lease
 * is left to run out. Throws when it cannot start or when its responder thread dies.
 */
export async function runSpeaker(settings: SpeakerSettings, signal: AbortSignal): Promise<void> {
  await runProgram("bellhop-speaker", settings, signal, (program) => {
    const speaker = new Speaker({
      ...program,
      settings,
      nft: createNft(),
      conntrack: createConntrack(),
      startResponder,
      openGroupSocket,
      readLinks: () => readLinks(systemLinkSource),
      withoutForwarding: () => familiesWithoutForwarding((path) => readFileSync(path, "utf8")),
      kernel: release(),
      bootNonce: randomUUID(),
    });
    return {
      unready: () => speaker.unready,
      facts: { node: settings.node, namespace: settings.namespace },
      run: (ending) => speaker.run(ending),
    };
  });
}
