import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { release } from "node:os";
import { systemClock } from "../src/clock/clock.ts";
import { startHttpServer } from "../src/http/server.ts";
import { connect } from "../src/kube/connect.ts";
import { createKubeMetrics } from "../src/kube/metrics.ts";
import { createLogger } from "../src/log/log.ts";
import { collectProcessMetrics, createRegistry } from "../src/metrics/registry.ts";
import { createNft } from "../src/nft/nft.ts";
import type { SpeakerSettings } from "../src/settings/speaker-settings.ts";
import { openGroupSocket } from "./announce/multicast.ts";
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
  const log = createLogger(settings.logLevel, "bellhop-speaker");
  const registry = createRegistry();
  collectProcessMetrics(registry);
  const kubeMetrics = createKubeMetrics(registry);
  const client = await connect("bellhop-speaker", settings.kubeconfig, kubeMetrics);
  const speaker = new Speaker({
    settings,
    client,
    nft: createNft(),
    conntrack: createConntrack(),
    startResponder,
    openGroupSocket,
    readLinks: () => readLinks(systemLinkSource),
    withoutForwarding: () => familiesWithoutForwarding((path) => readFileSync(path, "utf8")),
    kernel: release(),
    bootNonce: randomUUID(),
    clock: systemClock,
    random: Math.random,
    log,
    registry,
    kubeMetrics,
  });
  const http = await startHttpServer({
    host: settings.httpHost,
    port: settings.httpPort,
    registry,
    unhealthy: () => [],
    unready: () => speaker.unready,
  });
  log.info({ port: http.port, node: settings.node, namespace: settings.namespace }, "started");
  try {
    await speaker.run(signal);
  } finally {
    await http.close();
    client.close();
    log.info("stopped");
  }
}
