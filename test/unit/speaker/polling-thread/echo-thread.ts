import { runPollingThread } from "../../../../speaker/polling-thread/run-polling-thread.ts";
import { Poller } from "../../../../src/libc/poller.ts";

/**
 * A thread that repeats each request, stops for "stop", throws for "break", and for "hang" waits in the kernel for what never comes. Started with "broken" it
 * cannot be opened.
 */
runPollingThread<string, string, string>((data, report) => {
  if (data === "broken") throw new Error("cannot be opened");
  const poller = new Poller();
  let stopped = false;
  return {
    wakeFd: poller.wakeFd,
    loop: {
      get stopped() {
        return stopped;
      },
      turn: () => void poller.wait([], 60_000),
      apply(request) {
        if (request === "break") throw new Error("broken by a request");
        if (request === "hang") new Poller().wait([], -1);
        report(`${data} ${request}`);
        stopped = request === "stop";
      },
    },
    close: () => poller.close(),
  };
});
