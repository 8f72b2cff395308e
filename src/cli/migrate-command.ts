import { Command } from "commander";
import { collectOption, defaultClassOption, readText } from "./options.ts";
import { addClusterOptions, asController, printAnswer, withCluster } from "./with-cluster.ts";

/** `bellhop migrate`: commands for moving from another load balancer. */
export function migrateCommand(): Command {
  return new Command("migrate").description("move from another load balancer").addCommand(checkCommand());
}

function checkCommand(): Command {
  const command = new Command("check")
    .description(
      "list what would change for each Service if Bellhop took over now, and change nothing; exit code 0: nothing, 1: something, 2: error",
    )
    .option(
      "-f, --filename <file>",
      "YAML file with IPAddressPools that count as applied, or - for standard input; can be repeated",
      collectOption,
    )
    .option(
      "--leave-class <class>",
      "Services with this loadBalancerClass stay with the load balancer that they have; can be repeated",
      collectOption,
    )
    .addOption(asController(defaultClassOption()));
  return addClusterOptions(command).action(
    async ({
      filename = [],
      leaveClass = [],
      ...options
    }: { filename?: readonly string[]; leaveClass?: readonly string[] } & Record<string, string>) => {
      const { loadMigrationInput } = await import("../../controller/collect/load-migration.ts");
      const { checkMigration } = await import("../../controller/explain/migration/check-migration.ts");
      const { parsePoolManifest } = await import("../../controller/explain/pools/manifest.ts");
      const { renderMigrationCheck } = await import("./text/migration-check.ts");
      const manifests = filename.map((file) => parsePoolManifest(file === "-" ? "stdin" : file, readText(file)));
      const check = await withCluster(
        options,
        async (access) => checkMigration(await loadMigrationInput({ ...access, manifests, leaveClasses: leaveClass })),
        "administrator",
      );
      printAnswer(options, check, renderMigrationCheck);
      process.exitCode = check.unchanged ? 0 : 1;
    },
  );
}
