import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const file = fileURLToPath(new URL("../../../docs/faults.md", import.meta.url));

/** The page up to its first table. */
export const faultsHead = `# What happens when the API server or a controller fails

Each line is what [faults.test.ts](../test/e2e/faults/faults.test.ts) saw on a real API server, behind a proxy that does to requests
what the line says. \`npm run docs:lab\` writes this page. After each fault, the test checked the following; the first two it also watched
while the fault lasted:

- No address is in the status of two Services.
- No address of a Service changes that requests no other one, including the Services that the fault does not concern.
- Each Service shows the one address that a VirtualIP claims for it, or is gone together with its VirtualIP and its finalizer. Nothing is left
  over.

The proxy counts the attempts of a write, including the one that failed.
`;

const unitTest = (path: string): string => `[${path.split("/").at(-1)}](../test/unit/${path}.test.ts)`;
const wallClockSteps = unitTest("controller/controller/wall-clock-steps");

/** What the unit tests show, which can set a clock without setting that of the machine. */
export const clockSteps = `
## When a clock is set

NTP, an administrator, or a machine that wakes up may set the wall clock by hours, forward or back. Bellhop measures durations by the monotonic
clock, which cannot be set, and which does not run while a machine sleeps.

The lines below are what unit tests saw, with six hours in either direction. The random sequences of
[model.test.ts](../test/unit/controller/model/model.test.ts) set the clock too.

| in progress | clock set forward | clock set back | seen by |
| --- | --- | --- | --- |
| a hold (\`holdAfterDelete\`) that this controller began | ends on time | ends on time | ${wallClockSteps} |
| a hold that an earlier controller began: only \`heldUntil\` shows its age | ends that much sooner | ends that much later; its Service gets the address meanwhile | ${wallClockSteps} |
| a hold whose \`heldUntil\` the user changed | ends when the clock, as it is then, says so | the same | ${wallClockSteps} |
| leader election | the leader keeps leading; if it is cut off, it is replaced on time | the same; two renewals at the same time of day are two versions | ${unitTest("src/kube/leader-election")} |
| liveness of speakers, with their clock or the controller's | live speakers are never declared dead; dead ones are detected on time | the same; two renewals at the same time of day are two versions | ${unitTest("controller/observe/speaker-watch")}, ${unitTest("speaker/report/lease")} |
| a write that waits for its next attempt | tried on time | tried on time | ${unitTest("src/queue/queue")}, ${wallClockSteps} |
| a watch that waits to be opened again | opened on time | opened on time | ${unitTest("src/kube/reflector-watches")} |
| the token of the service account, read again each minute | read on time | read on time | ${unitTest("src/kube/credentials")} |
| an event that is sent once in ten minutes | sent no sooner | sent no later | ${unitTest("src/kube/event-recorder")} |
| conditions of Services, pools and VirtualIPs | nothing is written for it; later changes carry the new time | the same, so a later change may carry an earlier time | ${wallClockSteps} |
| \`bellhop explain\` on a machine whose clock is wrong | reads the leases twice, and reports no live speaker as dead | the same | ${unitTest("controller/collect/read-leases")} |

One thing depends on the clock of the API server: which of two overlapping pools is the older one. If that clock was set back between the two
creations, the pool that was created last counts as the older one.
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
    writeFileSync(
      file,
      `${faultsHead}\n| fault | step | outcome |\n| --- | --- | --- |\n${lines.join("\n")}\n${clockSteps}`,
    );
  }
}
