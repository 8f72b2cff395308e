import { PollingThread } from "../../../../speaker/polling-thread/polling-thread.ts";
import { systemClock } from "../../../../src/clock/clock.ts";
import { silentLogger } from "../../../../src/log/log.ts";

/** A process whose thread waits in the kernel for what never comes. It stops the thread, says so, and ends with exit code 7. */
const thread = new PollingThread<string, string>({
  name: "echo",
  program: new URL("./echo-thread.ts", import.meta.url),
  received: () => undefined,
  ended: () => undefined,
  hangMs: 300_000,
  clock: systemClock,
  log: silentLogger,
});
await thread.start("heard");
thread.send("hang");
await thread.stop("stop");
console.log("stopped");
process.exitCode = 7;
