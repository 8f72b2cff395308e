import { Command } from "commander";
import { contextOption, kubeconfigOption, outputOption, systemNamespaceOption } from "./options.ts";
import { type ClusterCommandOptions, printAnswer, withCluster } from "./with-cluster.ts";

type UninstallCommandOptions = { readonly yes?: true; readonly keepAddresses?: true } & ClusterCommandOptions;

/** `bellhop uninstall`: shows what Bellhop holds in the cluster, or releases it. */
export function uninstallCommand(): Command {
  return new Command("uninstall")
    .description(
      "show what Bellhop holds in the cluster, and release it with --yes; exit code 0: nothing is left, 1: something is left, 2: error",
    )
    .option("--yes", "stop Bellhop and release everything, instead of only showing it")
    .option(
      "--keep-addresses",
      "leave the addresses in the status of Services, for a load balancer that serves them next; everything else is released",
    )
    .addOption(outputOption())
    .addOption(kubeconfigOption())
    .addOption(contextOption())
    .addOption(systemNamespaceOption())
    .action(async ({ yes, keepAddresses, ...options }: UninstallCommandOptions) => {
      const { uninstall } = await import("../../controller/uninstall/uninstall.ts");
      const { renderUninstall } = await import("./text/uninstall.ts");
      const addresses = keepAddresses ? "keep" : "remove";
      const report = await withCluster(
        options,
        ({ client, namespace, clock }) => uninstall({ client, namespace, clock, act: yes === true, addresses }),
        "administrator",
      );
      printAnswer(options, report, renderUninstall);
      process.exitCode = report.left === 0 ? 0 : 1;
    });
}
