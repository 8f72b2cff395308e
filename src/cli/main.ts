#!/usr/bin/env node
import { Command } from "commander";
import { BellhopError } from "../error/error.ts";
import { version } from "../settings/version.ts";
import { controllerCommand } from "./controller-command.ts";
import { doctorCommand } from "./doctor-command.ts";
import { explainCommand } from "./explain-command.ts";
import { poolsCommand } from "./pools-command.ts";
import { describeError } from "./run.ts";
import { speakerCommand } from "./speaker-command.ts";

const program = new Command("bellhop")
  .description(
    "External addresses for Kubernetes Services of type LoadBalancer on clusters that no cloud stands behind",
  )
  .version(version)
  .addCommand(controllerCommand())
  .addCommand(speakerCommand())
  .addCommand(explainCommand())
  .addCommand(doctorCommand())
  .addCommand(poolsCommand());
endOnMisuse(program);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof BellhopError)) throw error;
  process.stderr.write(`bellhop: ${describeError(error)}\n`);
  process.exitCode = 2;
}

/** Exit code 2 for a command line that cannot be understood, at every depth; 1 means that the answer is no. */
function endOnMisuse(command: Command): void {
  command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  for (const below of command.commands) endOnMisuse(below);
}
