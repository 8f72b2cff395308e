import type { Command } from "commander";
import { type Clock, systemClock } from "../clock/clock.ts";
import type { ApiClient } from "../kube/client.ts";
import { connect } from "../kube/connect.ts";
import { createKubeMetrics } from "../kube/metrics.ts";
import { createRegistry } from "../metrics/registry.ts";
import { version } from "../program/version.ts";
import { clusterFailure } from "./cluster-failure.ts";
import {
  contextOption,
  kubeconfigOption,
  metallbNamespaceOption,
  metallbOption,
  outputOption,
  systemNamespaceOption,
} from "./options.ts";
import { createPalette, type Palette } from "./text/palette.ts";

/** What the command line gives to a command that asks. */
export type ClusterCommandOptions = Readonly<Record<string, string | undefined>>;

/** What a question is put to. */
export interface ClusterAccess {
  readonly client: ApiClient;
  /** Where Bellhop itself lives. */
  readonly namespace: string;
  /** Where MetalLB's objects are; undefined: they do not count. */
  readonly metallbNamespace?: string;
  readonly clock: Clock;
}

/** Gives a command the options that every question has. */
export function addClusterOptions(command: Command): Command {
  return command
    .addOption(outputOption())
    .addOption(kubeconfigOption())
    .addOption(contextOption())
    .addOption(systemNamespaceOption())
    .addOption(metallbOption())
    .addOption(metallbNamespaceOption());
}

/** Connects as the options say, asks, and lets go of the connection. Throws what connecting throws, and a
 * BellhopError that says what to do where the cluster does not answer or refuses. */
export async function withCluster<Answer>(
  { kubeconfig, context, systemNamespace = "", metallb, metallbNamespace = "" }: ClusterCommandOptions,
  ask: (access: ClusterAccess) => Promise<Answer>,
): Promise<Answer> {
  const client = await connect(`bellhop/${version}`, { kubeconfig, context }, createKubeMetrics(createRegistry()));
  try {
    const foreign = metallb === "true" ? { metallbNamespace } : {};
    return await ask({ client, namespace: systemNamespace, ...foreign, clock: systemClock });
  } catch (error) {
    throw clusterFailure(error, client.server);
  } finally {
    client.close();
  }
}

/** Writes the answer to standard output: as JSON, or as text, in colours where a person looks on and NO_COLOR is not set. */
export function printAnswer<Answer>(
  { output }: ClusterCommandOptions,
  answer: Answer,
  render: (answer: Answer, palette: Palette) => string,
): void {
  // Whoever reads our output may have read enough, as `head` does.
  process.stdout.on("error", () => {});
  const coloured = process.stdout.isTTY === true && (process.env.NO_COLOR ?? "") === "";
  const text =
    output === "json" ? `${JSON.stringify(answer, undefined, 2)}\n` : render(answer, createPalette(coloured));
  process.stdout.write(text);
}
