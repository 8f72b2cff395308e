import { hostname } from "node:os";
import { Command, Option } from "commander";
import { controllerSettingsSchema } from "../settings/controller-settings.ts";
import {
  defaultClassOption,
  httpHostOption,
  httpPortOption,
  ignoreExcludeLabelOption,
  kubeconfigOption,
  logLevelOption,
  metallbClassOption,
  metallbNamespaceOption,
  metallbOption,
  namespaceOption,
  parseSettings,
  wholeNumber,
} from "./options.ts";
import { runUntilSignal } from "./run.ts";

/** `bellhop controller`. Loads the controller only when it is called. */
export function controllerCommand(): Command {
  const { shape } = controllerSettingsSchema;
  return new Command("controller")
    .description("assign addresses to Services; run one or more replicas, of which one is active")
    .addOption(namespaceOption())
    .addOption(
      new Option("--instance <name>", "name of this replica").env("POD_NAME").default(hostname(), "the host name"),
    )
    .addOption(kubeconfigOption())
    .addOption(defaultClassOption())
    .addOption(httpHostOption())
    .addOption(httpPortOption(7480))
    .addOption(logLevelOption())
    .addOption(
      new Option("--workers <number>", "number of Services to process at the same time")
        .argParser(wholeNumber(shape.workers))
        .default("16"),
    )
    .addOption(
      new Option("--leader-elect <boolean>", "take part in leader election; required with more than one replica")
        .choices(["true", "false"])
        .default("true"),
    )
    .addOption(
      new Option(
        "--rebalance-after <milliseconds>",
        "how long the nodes must be unchanged before addresses are rebalanced",
      )
        .argParser(wholeNumber(shape.rebalanceAfterMs))
        .default("10000"),
    )
    .addOption(
      new Option(
        "--peers-per-node <number>",
        "from how many other nodes those are chosen that take over the addresses of one node",
      )
        .argParser(wholeNumber(shape.peersPerNode))
        .default("6"),
    )
    .addOption(
      new Option(
        "--max-holds-per-namespace <number>",
        "how many addresses of deleted Services of one namespace are held (holdAfterDelete)",
      )
        .argParser(wholeNumber(shape.maxHoldsPerNamespace))
        .default("10")
        .env("BELLHOP_MAX_HOLDS_PER_NAMESPACE"),
    )
    .addOption(
      new Option(
        "--max-external-ips-per-namespace <number>",
        "how many addresses in spec.externalIPs of Services of one namespace are kept out of pools",
      )
        .argParser(wholeNumber(shape.maxExternalIpsPerNamespace))
        .default("16")
        .env("BELLHOP_MAX_EXTERNAL_IPS_PER_NAMESPACE"),
    )
    .addOption(metallbOption())
    .addOption(metallbNamespaceOption())
    .addOption(metallbClassOption())
    .addOption(ignoreExcludeLabelOption())
    .action(async (options: Record<string, string | undefined>) => {
      const settings = parseSettings(controllerSettingsSchema, {
        namespace: options.namespace,
        instance: options.instance,
        kubeconfig: options.kubeconfig,
        defaultClass: options.defaultClass === "true",
        httpHost: options.httpHost,
        httpPort: Number(options.httpPort),
        logLevel: options.logLevel,
        workers: Number(options.workers),
        leaderElect: options.leaderElect === "true",
        rebalanceAfterMs: Number(options.rebalanceAfter),
        peersPerNode: Number(options.peersPerNode),
        maxHoldsPerNamespace: Number(options.maxHoldsPerNamespace),
        maxExternalIpsPerNamespace: Number(options.maxExternalIpsPerNamespace),
        metallb: options.metallb === "true",
        metallbNamespace: options.metallbNamespace,
        metallbClass: options.metallbClass,
        ignoreExcludeLabel: options.ignoreExcludeLabel === "true",
      });
      await runUntilSignal("controller", async (signal) => {
        const { runController } = await import("../../controller/main.ts");
        await runController(settings, signal);
      });
    });
}
