import type { Command } from "commander";
import type { MetallbCompatibility } from "../api/metallb.ts";
import { type Clock, systemClock } from "../clock/clock.ts";
import type { ApiClient } from "../kube/client.ts";
import { connect } from "../kube/connect.ts";
import { createKubeMetrics } from "../kube/metrics.ts";
import { createRegistry } from "../metrics/registry.ts";
import { version } from "../program/version.ts";
import { metallbOf } from "../settings/controller-settings.ts";
import { clusterFailure } from "./cluster-failure.ts";
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
export interface ClusterAccess {
  readonly client: ApiClient;
  /** Bellhop's own namespace. */
  readonly namespace: string;
  /** What is honoured of MetalLB; undefined: nothing. */
  readonly metallb: MetallbCompatibility | undefined;
  /** Whether nodes take part that are labelled as excluded from load balancers. */
  readonly ignoreExcludeLabel: boolean;
  readonly clock: Clock;
}

/** Adds the options that every command has that reads the cluster. */
export function addClusterOptions(command: Command): Command {
  return command
    .addOption(outputOption())
    .addOption(kubeconfigOption())
    .addOption(contextOption())
    .addOption(systemNamespaceOption())
    .addOption(metallbOption())
    .addOption(metallbNamespaceOption())
    .addOption(metallbClassOption())
    .addOption(ignoreExcludeLabelOption());
}

/**
 * Connects as the options say, calls `ask`, and closes the connection. Throws what connecting throws, and a BellhopError that says what to
 * do if the cluster does not answer or refuses.
 */
export async function withCluster<Answer>(
  options: ClusterCommandOptions,
  ask: (access: ClusterAccess) => Promise<Answer>,
): Promise<Answer> {
  const { kubeconfig, context, systemNamespace = "", metallbNamespace = "", metallbClass } = options;
  const client = await connect(`bellhop/${version}`, { kubeconfig, context }, createKubeMetrics(createRegistry()));
  try {
    const metallb = metallbOf({ metallb: options.metallb === "true", metallbNamespace, metallbClass });
    const ignoreExcludeLabel = options.ignoreExcludeLabel === "true";
    return await ask({ client, namespace: systemNamespace, metallb, ignoreExcludeLabel, clock: systemClock });
  } catch (error) {
    throw clusterFailure(error, client.server);
  } finally {
    client.close();
  }
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
