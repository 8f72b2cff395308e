import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { showProgress } from "../lab/progress.ts";
import { waitFor } from "../lab/wait.ts";
import { wholeNumber } from "../lab/whole-number.ts";
import { withBenchLab } from "./bench-lab.ts";
import { measureRest } from "./rest.ts";
import { ServiceLoad } from "./service-load.ts";
import { formatSpread, spreadOf } from "./statistics.ts";

/**
 * What controllers and speakers cost while nothing changes, by the number of addresses: `npm run bench -- idle [seconds] [addresses...]`. A lab of its
 * own with three nodes, whose speakers hear each other. Services have no pods and no node ports, and get IPv6 addresses, which the speakers announce
 * by turns. Prints what each process uses, as minimum / median / maximum.
 */
const [secondsText = "60", ...given] = process.argv.slice(2);
const seconds = wholeNumber("seconds", secondsText, { from: 1, to: 3_600 });
const counts =
  given.length > 0 ? given.map((text) => wholeNumber("addresses", text, { from: 0, to: 65_000 })) : [0, 10, 1_000];
/** After the last change, addresses are announced again for some time, and reports are written. */
const restMs = 30_000;
const progress = showProgress(process.stderr);

await withBenchLab(progress, async ({ lab }) => {
  const load = new ServiceLoad(lab);
  await load.prepare();
  let present = 0;
  for (const count of counts) {
    await progress.step(`${count} addresses`, async () => {
      await load.create(present, count);
      await waitFor({ what: `${count} addresses`, timeoutMs: 300_000, intervalMs: 2_000 }, () =>
        load.check(count).then(
          () => true,
          () => undefined,
        ),
      );
      present = count;
      await sleep(restMs);
    });
    const figures = await progress.step(`${seconds} s of rest`, () => measureRest(lab, seconds));
    for (const component of ["controller", "speaker"] as const) {
      const { cpuPercent, residentMiB } = figures[component];
      const title = `${component} at rest, ${count} addresses`;
      process.stdout.write(`${title}: CPU, % of a core: ${formatSpread(spreadOf(cpuPercent), 2)}\n`);
      process.stdout.write(`${title}: resident memory, MiB: ${formatSpread(spreadOf(residentMiB))}\n`);
    }
    process.stdout.write(`load average of the machine: ${loadavg()[0]?.toFixed(1)}\n`);
  }
});
