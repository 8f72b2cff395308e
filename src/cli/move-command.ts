import { Argument, Command } from "commander";
import type { IpAddress } from "../ip/address.ts";
import { parseAddressArgument, timeoutOption } from "./options.ts";
import { addClusterOptions, type ClusterCommandOptions, printAnswer, withCluster } from "./with-cluster.ts";

type MoveCommandOptions = ClusterCommandOptions & { readonly timeout: string };

/** `bellhop move`: pins an address to a node, shows where it is, or removes the pin. */
export function moveCommand(): Command {
  const command = new Command("move")
    .description(
      "pin an address to a node, and wait until that node announces it; without a node, show which node announces it; exit code 0: done, 1: refused or not done in time, 2: error",
    )
    .addArgument(new Argument("<address>", "192.0.2.7 or 2001:db8::7").argParser(parseAddressArgument))
    .addArgument(new Argument("[node]", "name of the node"))
    .option("--auto", "remove the pin: the controller chooses the node again")
    .addOption(timeoutOption(30));
  return addClusterOptions(command).action(
    async (
      address: IpAddress,
      node: string | undefined,
      { auto, ...options }: { readonly auto?: true } & MoveCommandOptions,
    ) => {
      if (auto === true && node !== undefined) command.error("error: write either a node or --auto", { exitCode: 2 });
      const { moveAddress, showAddress, unpinAddress } = await import("../../controller/moves/move-address.ts");
      const { renderMove } = await import("./text/move.ts");
      const report = await withCluster(
        options,
        (access) => {
          if (auto === true) return unpinAddress({ ...access, address });
          if (node === undefined) return showAddress({ ...access, address });
          return moveAddress({ ...access, address, timeoutMs: Number(options.timeout) * 1_000 }, node);
        },
        "bellhop-operate",
      );
      printAnswer(options, report, renderMove);
      process.exitCode = report.reason === undefined ? 0 : 1;
    },
  );
}
