import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mistakeIn, usageIn } from "./usage.ts";

/** `npm run bench -- NAME [argument...]`: runs the bench of that name with the rest of the command line. With --help it prints how that is used. */
const benches: Readonly<Record<string, () => Promise<unknown>>> = {
  slice: () => import("./slice.ts"),
  "first-answer": () => import("./first-answer.ts"),
  failover: () => import("./failover.ts"),
  spread: () => import("./spread.ts"),
  services: () => import("./services.ts"),
  "many-services": () => import("./many-services.ts"),
  changes: () => import("./changes.ts"),
  scale: () => import("./scale.ts"),
  membership: () => import("./membership.ts"),
  announcements: () => import("./announcements.ts"),
  kernel: () => import("./kernel.ts"),
  idle: () => import("./idle.ts"),
  speaker: () => import("./speaker.ts"),
  "other-traffic": () => import("./other-traffic.ts"),
  "large-services": () => import("./large-services.ts"),
};

/** EX_USAGE of sysexits.h. */
const exUsage = 64;

const [name = ""] = process.argv.splice(2, 1);
const run = benches[name];
if (run === undefined) {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(benches).join("|")} [argument...]\n`);
  process.exitCode = exUsage;
} else if (process.argv.some((argument) => argument === "--help" || argument === "-h")) {
  const usage = usageIn(readFileSync(join(import.meta.dirname, `${name}.ts`), "utf8"));
  process.stdout.write(`${usage}\n`);
} else {
  try {
    await run();
  } catch (error) {
    const mistake = mistakeIn(error);
    if (mistake === undefined) throw error;
    process.stderr.write(`${mistake}; see npm run bench -- ${name} --help\n`);
    process.exitCode = exUsage;
  }
}
