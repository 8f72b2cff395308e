import type { Argument, Command, Option } from "commander";
import { code, codeList, escapeText, generatedFrom, table } from "./markdown.ts";

/** The whole of docs/reference/cli.md. */
export function cliPage(program: Command): string {
  const parts = program.commands.map((command) => chapter(command, program.name(), 2));
  return [introduction(program), ...parts, environment(program)].join("\n");
}

function introduction(program: Command): string {
  return `# Command line

${generatedFrom("src/cli/program.ts")}

One executable, \`${program.name()}\`, contains the two programs of Bellhop and the commands that inspect a cluster. Every command also has \`--help\`.
A value on the command line takes precedence over the environment, and the environment over the default.

Exit codes of \`controller\` and \`speaker\`: 0 after SIGTERM or SIGINT, 1 after a failure. The exit codes of other commands are listed with each.
An invalid command line ends with 2.

${optionTable(program)}`;
}

/** A command with subcommands gets a heading and a chapter for each of them; only a command without is run. */
function chapter(command: Command, parent: string, depth: number): string {
  const path = `${parent} ${command.name()}`;
  const title = `${"#".repeat(depth)} ${path}\n\n${sentence(command.description())}\n`;
  if (command.commands.length > 0) {
    return [title, ...command.commands.map((below) => chapter(below, path, depth + 1))].join("\n");
  }
  const usage = `    ${path} ${command.usage()}\n`;
  return [title, usage, ...argumentTable(command.registeredArguments), optionTable(command)].join("\n");
}

function argumentTable(args: readonly Argument[]): readonly string[] {
  if (args.length === 0) return [];
  return [
    table(
      ["Argument", "Description"],
      args.map((argument) => [code(argument.name()), escapeText(argument.description)]),
    ),
  ];
}

function optionTable(command: Command): string {
  const rows = command.options
    .filter(({ hidden }) => !hidden)
    .map((option) => [code(option.flags), descriptionOf(option), defaultOf(option), code(option.envVar ?? "")]);
  return table(["Option", "Description", "Default", "Environment"], rows);
}

function descriptionOf({ description, argChoices, mandatory }: Option): string {
  const choices = argChoices === undefined ? "" : ` (${codeList(argChoices)})`;
  return `${escapeText(description)}${choices}${mandatory ? " (required)" : ""}`;
}

function defaultOf({ defaultValue, defaultValueDescription }: Option): string {
  if (defaultValueDescription !== undefined) return escapeText(defaultValueDescription);
  return defaultValue === undefined ? "" : code(String(defaultValue));
}

/** Variables that are read without being the value of an option. */
const otherVariables: readonly (readonly [string, string])[] = [
  ["KUBECONFIG", "The kubeconfig, if `--kubeconfig` is not set and the program does not run in a pod"],
  ["NO_COLOR", "Any text that is not empty: output without colours"],
];

function environment(program: Command): string {
  const uses = new Map<string, Map<string, readonly string[]>>();
  for (const [path, { envVar, long }] of optionsBelow(program, "")) {
    if (envVar === undefined || !long) continue;
    const options = uses.get(envVar) ?? new Map<string, readonly string[]>();
    uses.set(envVar, options.set(long, [...(options.get(long) ?? []), path]));
  }
  const rows = [...uses].map(([name, options]): readonly [string, string] => [name, usesText(options)]);
  const sorted = [...rows, ...otherVariables].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `## Environment variables\n\n${table(
    ["Variable", "Meaning"],
    sorted.map(([name, meaning]) => [code(name), meaning]),
  )}`;
}

/** From the commands that have each option. */
function usesText(options: ReadonlyMap<string, readonly string[]>): string {
  return [...options].map(([option, paths]) => `${code(option)} of ${codeList(paths)}`).join("; ");
}

function optionsBelow(command: Command, path: string): readonly (readonly [string, Option])[] {
  const below = command.commands.flatMap((child) => optionsBelow(child, `${path} ${child.name()}`.trim()));
  return [...command.options.map((option) => [path, option] as const), ...below];
}

/** Descriptions begin with a small letter, as --help shows them. */
function sentence(text: string): string {
  return text === "" ? "" : `${text[0]?.toUpperCase()}${text.slice(1)}.`;
}
