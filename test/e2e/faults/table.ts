import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const file = fileURLToPath(new URL("../../../docs/faults.md", import.meta.url));

const head = `# What happens when the API server or a controller fails

Each line was seen by \`test/e2e/faults/faults.test.ts\` on a real API server, with a proxy that does to single requests what the line says;
\`FAULTS_DOC=1 node --test test/e2e/faults/faults.test.ts\` writes this page. After each fault these were checked, and while it lasted the first
two were watched:

- no address stands in two Services;
- no Service's address changes, also not those of Services that nothing happens to;
- each Service shows the one address that a VirtualIP claims in its name, or is gone with its VirtualIP and its finalizer; nothing is left over.

How often a write was tried is what the proxy has counted, the one that failed included.
`;

/** Gathers what was seen, and writes docs/faults.md of it when FAULTS_DOC is set. */
export class FaultTable {
  readonly #rows: (readonly [fault: string, step: string, outcome: string])[] = [];

  add(fault: string, step: string, outcome: string): void {
    this.#rows.push([fault, step, outcome]);
  }

  write(): void {
    if (process.env.FAULTS_DOC === undefined) return;
    const lines = this.#rows.map((row) => `| ${row.join(" | ")} |`);
    writeFileSync(file, `${head}\n| fault | step | outcome |\n| --- | --- | --- |\n${lines.join("\n")}\n`);
  }
}
