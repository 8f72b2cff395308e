import { type Command, Option } from "commander";
import { type Clock, systemClock } from "../clock/clock.ts";
import type { ApiClient } from "../kube/client.ts";
import { connect } from "../kube/connect.ts";
import { createKubeMetrics } from "../kube/metrics.ts";
import { createRegistry } from "../metrics/registry.ts";
import { version } from "../program/version.ts";
import { clusterFailure, type NeededRights } from "./cluster-failure.ts";
import { type ChosenSettings, chooseSettings } from "./controller-options.ts";
import {
  contextOption,
  ignoreExcludeLabelOption,
  kubeconfigOption,
  metallbClassOption,
  metallbNamespaceOption,
  metallbOption,
  outputOption,
  systemNamespaceOption,
} from "./options.ts";
import { createPalette, type Palette } from "./text/palette.ts";

/** The parsed options of a command that reads the cluster. */
export type ClusterCommandOptions = Readonly<Record<string, string | undefined>>;

/** The cluster that a command reads. */
export interface ClusterAccess extends ChosenSettings {
  readonly client: ApiClient;
  /** Bellhop's own namespace. */
  readonly namespace: string;
  readonly clock: Clock;
}

/** Adds the options that every command has that reads the cluster. */
export function addClusterOptions(command: Command): Command {
  return command
    .addOption(outputOption())
    .addOption(kubeconfigOption())
    .addOption(contextOption())
    .addOption(systemNamespaceOption())
    .addOption(asController(metallbOption()))
    .addOption(asController(metallbNamespaceOption()))
    .addOption(asController(metallbClassOption()))
    .addOption(asController(ignoreExcludeLabelOption()));
}

/**
 * Connects as the options say, calls `ask`, and closes the connection. Throws what connecting throws, and a BellhopError that says what to
 * do if the cluster does not answer or refuses.
 */
export async function withCluster<Answer>(
  options: ClusterCommandOptions,
  ask: (access: ClusterAccess) => Promise<Answer>,
  rights?: NeededRights,
): Promise<Answer> {
  const { kubeconfig, context, systemNamespace: namespace = "" } = options;
  const client = await connect(`bellhop/${version}`, { kubeconfig, context }, createKubeMetrics(createRegistry()));
  try {
    const { readControllerSettings } = await import("../../controller/collect/read-settings.ts");
    const settings = chooseSettings(options, await readControllerSettings(client, namespace), process.env);
    return await ask({ client, namespace, ...settings, clock: systemClock });
  } catch (error) {
    throw clusterFailure(error, client.server, rights);
  } finally {
    client.close();
  }
}

/** The option of the controller, for a command that has to know what the controller does. Without it, the controller is asked. */
export function asController(option: Option): Option {
  const own = new Option(option.flags, `${option.description}; if missing, as the running controller does`);
  return option.argChoices === undefined ? own : own.choices(option.argChoices);
}

/** Writes the answer to standard output: as JSON, or as text, in colours on a terminal unless NO_COLOR is set. */
export function printAnswer<Answer>(
  { output }: ClusterCommandOptions,
  answer: Answer,
  render: (answer: Answer, palette: Palette) => string,
): void {
  // The reader of the output may close it early, as `head` does.
  process.stdout.on("error", () => {});
  const coloured = process.stdout.isTTY === true && (process.env.NO_COLOR ?? "") === "";
  const text =
    output === "json" ? `${JSON.stringify(answer, undefined, 2)}\n` : render(answer, createPalette(coloured));
  process.stdout.write(text);
}
