import { Argument, Command } from "commander";
import { timeoutOption } from "./options.ts";
import { addClusterOptions, type ClusterCommandOptions, printAnswer, withCluster } from "./with-cluster.ts";

/** `bellhop drain`: other nodes announce the addresses of a node. */
export function drainCommand(): Command {
  const command = new Command("drain")
    .description(
      "let other nodes announce the addresses of a node, and wait until they do; the node gets no others until bellhop undrain; exit code 0: none is left, 1: some are left, 2: error",
    )
    .addArgument(nodeArgument())
    .addOption(timeoutOption(60));
  return addClusterOptions(command).action(
    async (node: string, options: ClusterCommandOptions & { readonly timeout: string }) => {
      const { drainNode } = await import("../../controller/moves/drain-node.ts");
      const { renderDrain } = await import("./text/drain.ts");
      const onProgress = (moved: number, all: number): void => {
        process.stderr.write(`${moved} of ${all} addresses have moved\n`);
      };
      const timeoutMs = Number(options.timeout) * 1_000;
      const report = await withCluster(
        options,
        (access) => drainNode({ ...access, node, timeoutMs, onProgress }),
        "bellhop-operate",
      );
      printAnswer(options, report, renderDrain);
      process.exitCode = report.left.length === 0 ? 0 : 1;
    },
  );
}

/** `bellhop undrain`: the node announces addresses again. */
export function undrainCommand(): Command {
  const command = new Command("undrain")
    .description("let a drained node announce addresses again; exit code 0: done, 2: error")
    .addArgument(nodeArgument());
  return addClusterOptions(command).action(async (node: string, options: ClusterCommandOptions) => {
    const { undrainNode } = await import("../../controller/moves/drain-node.ts");
    await withCluster(options, ({ client }) => undrainNode({ client, node }), "bellhop-operate");
    printAnswer(options, { node }, () => `Node ${node} takes its share of the addresses again.\n`);
  });
}

function nodeArgument(): Argument {
  return new Argument("<node>", "name of the node");
}
