import { Command } from "commander";
import { version } from "../program/version.ts";
import { controllerCommand } from "./controller-command.ts";
import { doctorCommand } from "./doctor-command.ts";
import { drainCommand, undrainCommand } from "./drain-command.ts";
import { explainCommand } from "./explain-command.ts";
import { migrateCommand } from "./migrate-command.ts";
import { moveCommand } from "./move-command.ts";
import { poolsCommand } from "./pools-command.ts";
import { rotateKeyCommand } from "./rotate-key-command.ts";
import { speakerCommand } from "./speaker-command.ts";
import { uninstallCommand } from "./uninstall-command.ts";

/** The whole command line. Building it neither runs nor loads the programs. */
export function createProgram(): Command {
  return new Command("bellhop")
    .description("External addresses for Kubernetes Services of type LoadBalancer on clusters without a cloud provider")
    .version(version)
    .addCommand(controllerCommand())
    .addCommand(speakerCommand())
    .addCommand(explainCommand())
    .addCommand(doctorCommand())
    .addCommand(moveCommand())
    .addCommand(drainCommand())
    .addCommand(undrainCommand())
    .addCommand(poolsCommand())
    .addCommand(migrateCommand())
    .addCommand(rotateKeyCommand())
    .addCommand(uninstallCommand());
}
