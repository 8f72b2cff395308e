import { Command, InvalidArgumentError, Option } from "commander";
import { defaultHeartbeatPort } from "../api/speaker-identity.ts";
import { systemClock } from "../clock/clock.ts";
import {
  conflictPolicies,
  defaultStateDirectory,
  maxWitnesses,
  speakerSettingsSchema,
  witnessSchema,
} from "../settings/speaker-settings.ts";
import {
  httpHostOption,
  httpPortOption,
  kubeconfigOption,
  logLevelOption,
  namespaceOption,
  parseSettings,
  wholeNumber,
} from "./options.ts";
import { runUntilSignal } from "./run.ts";

/** `bellhop speaker`. Loads the speaker only when it is called. */
export function speakerCommand(): Command {
  const { shape } = speakerSettingsSchema;
  return new Command("speaker")
    .description("announce addresses on the LAN of this node and forward their traffic; run one on each node")
    .addOption(new Option("--node <name>", "name of the node that the speaker runs on").env("NODE_NAME"))
    .addOption(namespaceOption())
    .addOption(kubeconfigOption())
    .addOption(httpHostOption())
    .addOption(httpPortOption(7481))
    .addOption(
      new Option("--heartbeat-port <port>", "UDP port on which this speaker receives heartbeats of other speakers")
        .argParser(wholeNumber(shape.heartbeatPort))
        .default(String(defaultHeartbeatPort))
        .env("BELLHOP_HEARTBEAT_PORT"),
    )
    .addOption(
      new Option(
        "--heartbeat-interval-ms <milliseconds>",
        "time between two heartbeats to another speaker, from 50 to 1000; a node counts as dead after 2.25 of these without one",
      )
        .argParser(wholeNumber(shape.heartbeatIntervalMs))
        .default("100")
        .env("BELLHOP_HEARTBEAT_INTERVAL_MS"),
    )
    .addOption(
      new Option(
        "--witnesses <addresses>",
        "comma-separated addresses of devices on the LAN that count like the gateway: when one answers, a speaker that hears no other speaker knows that its side is connected",
      )
        .argParser(witnessList)
        .env("BELLHOP_WITNESSES"),
    )
    .addOption(
      new Option(
        "--state-directory <path>",
        "folder on the node for what the speaker needs to continue after a restart, even while the API server does not answer",
      )
        .default(defaultStateDirectory)
        .env("BELLHOP_STATE_DIRECTORY"),
    )
    .addOption(logLevelOption())
    .addOption(
      new Option(
        "--kube-proxy-delay-seconds <seconds>",
        "how long kube-proxy may take until its rules have a change: until then, connections to new ports go straight to pods; 0: never",
      )
        .argParser(wholeNumber(shape.kubeProxyDelaySeconds))
        .default("60"),
    )
    .addOption(
      new Option("--mark-bit <bit>", "no effect: earlier builds marked packets and connections").env(
        "BELLHOP_MARK_BIT",
      ),
    )
    .addOption(
      new Option("--answer-ping <boolean>", "whether the addresses of Services answer ping from the LAN")
        .choices(["true", "false"])
        .default("true"),
    )
    .addOption(
      new Option(
        "--on-conflict <policy>",
        "what to do when another device claims an announced address: announce it again, at most every 10 s (defend), or withdraw it if that does not help (yield)",
      )
        .choices(conflictPolicies)
        .default("defend")
        .env("BELLHOP_ON_CONFLICT"),
    )
    .addOption(
      new Option("--resync-seconds <seconds>", "how often to replace all rules, even if nothing has changed")
        .argParser(wholeNumber(shape.resyncSeconds))
        .default("1800"),
    )
    .addOption(
      new Option(
        "--cleanup",
        "only remove Bellhop's rules from the kernel of this node and its file from --state-directory, to uninstall it",
      ),
    )
    .addOption(
      new Option("--stay", "with --cleanup: remove them again every 10 s until the program ends, and then once more"),
    )
    .action(async (options: Record<string, string | true | undefined> & { readonly witnesses?: readonly string[] }) => {
      if (options.cleanup === true) {
        await runUntilSignal("speaker", async (signal) => {
          const { keepRulesRemoved, removeRules } = await import("../../speaker/main.ts");
          const { removeStakeFile } = await import("../../speaker/last-stakes/stake-file.ts");
          await removeStakeFile(String(options.stateDirectory));
          await (options.stay === true ? keepRulesRemoved(signal, systemClock) : removeRules());
        });
        return;
      }
      const settings = parseSettings(speakerSettingsSchema, {
        node: options.node ?? "",
        namespace: options.namespace,
        kubeconfig: options.kubeconfig,
        httpHost: options.httpHost,
        httpPort: Number(options.httpPort),
        heartbeatPort: Number(options.heartbeatPort),
        heartbeatIntervalMs: Number(options.heartbeatIntervalMs),
        witnesses: options.witnesses,
        stateDirectory: options.stateDirectory,
        logLevel: options.logLevel,
        kubeProxyDelaySeconds: Number(options.kubeProxyDelaySeconds),
        answerPing: options.answerPing === "true",
        onConflict: options.onConflict,
        resyncSeconds: Number(options.resyncSeconds),
      });
      if (options.markBit !== undefined) {
        process.stderr.write("--mark-bit and BELLHOP_MARK_BIT have no effect: Bellhop sets no marks. Remove them.\n");
      }
      await runUntilSignal("speaker", async (signal) => {
        const { runSpeaker } = await import("../../speaker/main.ts");
        await runSpeaker(settings, signal);
      });
    });
}

function witnessList(text: string): readonly string[] {
  const addresses = text.split(",").map((part) => part.trim());
  const bad = addresses.find((address) => !witnessSchema.safeParse(address).success);
  if (bad !== undefined) {
    throw new InvalidArgumentError(`${JSON.stringify(bad)} is not an IP address. Separate addresses with commas.`);
  }
  if (addresses.length > maxWitnesses) throw new InvalidArgumentError(`Write at most ${maxWitnesses} addresses.`);
  return addresses;
}
