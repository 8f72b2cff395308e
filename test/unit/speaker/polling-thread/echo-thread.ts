import { runPollingThread } from "../../../../speaker/polling-thread/run-polling-thread.ts";
import { Poller } from "../../../../src/libc/poller.ts";

/**
 * A thread that repeats each request, stops for "stop", throws for "break", and for "hang" waits in the kernel for what never comes. After "turn" it reports
 * its next turn before it waits: everything it does for that request is then done. Started with "broken" it cannot be opened.
 */
runPollingThread<string, string, string>((data, report) => {
  if (data === "broken") throw new Error("cannot be opened");
  const poller = new Poller();
  let stopped = false;
  let reportsTurn = false;
  return {
    wakeFd: poller.wakeFd,
    loop: {
      get stopped() {
        return stopped;
      },
      turn() {
        if (reportsTurn) report(`${data} its turn`);
        reportsTurn = false;
        poller.wait([], -1);
      },
      apply(request) {
        if (request === "break") throw new Error("broken by a request");
        if (request === "hang") new Poller().wait([], -1);
        report(`${data} ${request}`);
        stopped = request === "stop";
        reportsTurn = request === "turn";
      },
    },
    close: () => poller.close(),
  };
});
