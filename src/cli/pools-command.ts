import { Command } from "commander";
import { collectOption, readText } from "./options.ts";
import { addClusterOptions, printAnswer, withCluster } from "./with-cluster.ts";

/** `bellhop pools`: commands about all pools. */
export function poolsCommand(): Command {
  return new Command("pools").description("check pools before they are applied").addCommand(planCommand());
}

function planCommand(): Command {
  const command = new Command("plan")
    .description(
      "show what applying IPAddressPools would do, and change nothing; exit code 0: harmless, 1: harmful, 2: error",
    )
    .requiredOption(
      "-f, --filename <file>",
      "YAML file with IPAddressPools, or - for standard input; can be repeated",
      collectOption,
    );
  return addClusterOptions(command).action(
    async ({ filename, ...options }: { filename: readonly string[] } & Record<string, string>) => {
      const { loadPoolsInput } = await import("../../controller/collect/load-inputs.ts");
      const { planPools } = await import("../../controller/explain/pools/plan-pools.ts");
      const { parsePoolManifest } = await import("../../controller/explain/pools/manifest.ts");
      const { renderPoolsPlan } = await import("./text/pools-plan.ts");
      const manifests = filename.map((file) => parsePoolManifest(file === "-" ? "stdin" : file, readText(file)));
      const plan = await withCluster(options, async (access) => planPools(await loadPoolsInput(access, manifests)));
      printAnswer(options, plan, renderPoolsPlan);
      process.exitCode = plan.harmless ? 0 : 1;
    },
  );
}
