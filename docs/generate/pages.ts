import { definitions } from "../../deploy/crds/kinds.ts";
import { createProgram } from "../../src/cli/program.ts";
import { annotationsPage } from "./annotations.ts";
import { cliPage } from "./cli.ts";
import { crdsPage } from "./crds.ts";
import { metricsPage } from "./metrics.ts";
import { controllerRegistry, speakerRegistry } from "./program-metrics.ts";
import { reasonsPage } from "./reasons.ts";

/** Where the generated pages are. */
export const folder = new URL("../reference/", import.meta.url);

/** File name and text of every generated page. */
export function generatePages(): ReadonlyMap<string, string> {
  const program = createProgram();
  const portOf = (name: string): string => {
    const command = program.commands.find((command) => command.name() === name);
    return String(command?.options.find(({ long }) => long === "--http-port")?.defaultValue);
  };
  return new Map([
    ["annotations.md", annotationsPage()],
    ["cli.md", cliPage(program)],
    ["crds.md", crdsPage(definitions.map(([, definition]) => definition))],
    [
      "metrics.md",
      metricsPage([
        { program: "Controller", port: portOf("controller"), registry: controllerRegistry() },
        { program: "Speaker", port: portOf("speaker"), registry: speakerRegistry() },
      ]),
    ],
    ["reasons.md", reasonsPage()],
  ]);
}
