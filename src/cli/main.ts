#!/usr/bin/env node
import type { Command } from "commander";
import { BellhopError } from "../error/error.ts";
import { createProgram } from "./program.ts";
import { describeError } from "./run.ts";

const program = createProgram();
endOnMisuse(program);

try {
  await program.parseAsync();
} catch (error) {
  // 1 would mean that something is wrong in the cluster, which is unknown.
  process.exitCode = 2;
  if (error instanceof BellhopError) process.stderr.write(`bellhop: ${describeError(error)}\n`);
  else
    process.stderr.write(
      `bellhop: this is a bug in Bellhop: ${error instanceof Error ? error.stack : String(error)}\n`,
    );
}

/** Exit code 2 for a command line that cannot be understood, at every depth; 1 means that something is wrong. */
function endOnMisuse(command: Command): void {
  command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  for (const below of command.commands) endOnMisuse(below);
}
