/** `npm run bench -- NAME [argument...]`: runs the bench of that name with the rest of the command line. */
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

const [name = ""] = process.argv.splice(2, 1);
const run = benches[name];
if (run === undefined) {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(benches).join("|")} [argument...]\n`);
  process.exitCode = 64;
} else await run();
