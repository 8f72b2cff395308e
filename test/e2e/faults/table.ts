import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const file = fileURLToPath(new URL("../../../docs/faults.md", import.meta.url));

const head = `# What happens when the API server or a controller fails

Each line was seen by \`test/e2e/faults/faults.test.ts\` on a real API server, with a proxy that does to single requests what the line says;
\`npm run docs:lab\` writes this page. After each fault these were checked, and while it lasted the first
two were watched:

- no address stands in two Services;
- no Service's address changes, also not those of Services that nothing happens to;
- each Service shows the one address that a VirtualIP claims in its name, or is gone with its VirtualIP and its finalizer; nothing is left over.

How often a write was tried is what the proxy has counted, the one that failed included.
`;

/** What the unit tests show, which can set a clock without setting that of the machine. */
const clocks = `
## When a clock is set

NTP, an administrator, or a machine that wakes up may set the wall clock by hours, forward or back. Durations are measured by the
monotonic clock, which nobody sets; it stands still while a machine sleeps. The lines below were seen by the unit tests that each of
them names (in \`test/unit\`), with six hours either way; the random sequences of \`test/unit/controller/model\` set the clock too.

| what is under way | set forward | set back | seen by |
| --- | --- | --- | --- |
| a hold (\`holdAfterDelete\`) that this controller began | ends on time | ends on time | \`controller/clock-steps\` |
| a hold that an earlier controller began: only \`heldUntil\` tells its age | ends sooner, by as much | ends later, by as much; its Service gets the address meanwhile | \`controller/clock-steps\` |
| a hold whose \`heldUntil\` the user has changed | ends when the clock, as it is then, says so | the same | \`controller/clock-steps\` |
| leader election | the leader leads on, and one that is cut off is followed on time | the same; two renewals at the same time of day are two versions | \`kube/leader-election\` |
| liveness of speakers, their clock or the controller's | nobody who renews is buried, who does not is missed on time | the same; two renewals at the same time of day are two versions | \`controller/liveness\`, \`speaker/report/lease\` |
| a write that waits to be tried again | tried on time | tried on time | \`queue/queue\`, \`controller/clock-steps\` |
| a watch that waits to be opened again | opened on time | opened on time | \`kube/reflector\` |
| the token of the service account, read anew each minute | read on time | read on time | \`kube/credentials\` |
| an event that is told once in ten minutes | told no sooner | told no later | \`kube/event-recorder\` |
| conditions of Services, pools and VirtualIPs | nothing is written for it; what changes later bears the new time | the same, so a later change may bear an earlier time | \`controller/clock-steps\` |
| \`bellhop explain\` on a machine whose clock is wrong | looks at leases twice, and takes nobody who renews for dead | the same | \`controller/explain/leases\` |

One thing rests on the API server's own clock: which of two overlapping pools is the older one. If it was set back between the two
creations, the pool made last counts as the older.
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
    writeFileSync(file, `${head}\n| fault | step | outcome |\n| --- | --- | --- |\n${lines.join("\n")}\n${clocks}`);
  }
}
