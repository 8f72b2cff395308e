import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { AliveCounter } from "./alive-counter.ts";
import type { ThreadReport, ThreadStart } from "./messages.ts";

/** The part of a thread that tests run without one. */
export interface ThreadLoop<Request> {
  /** Whether a request has stopped it. */
  readonly stopped: boolean;
  /** Waits in poll(2), and does what is due. */
  turn(): void;
  apply(request: Request): void;
}

/** What a thread does. */
export interface ThreadWork<Request> {
  /** The eventfd(2) that ends the wait of the loop. */
  readonly wakeFd: number;
  readonly loop: ThreadLoop<Request>;
  readonly afterTurn?: () => void;
  /** Closes sockets, after the last turn. */
  readonly close: () => void;
}

/**
 * Runs the work in this thread until it is stopped; in the main thread it does nothing. The thread blocks in the loop and nowhere else, so its event
 * loop never runs. An error of the work ends the thread, and is reported first.
 */
export function runPollingThread<Data, Request, Report>(
  open: (data: Data, report: (report: Report) => void) => ThreadWork<Request>,
): void {
  const port = parentPort;
  if (port === null) return;
  const tell = (report: ThreadReport<Report>) => port.postMessage(report);
  try {
    const { requests, aliveCount, data } = workerData as ThreadStart;
    const aliveCounter = new AliveCounter(aliveCount);
    const work = open(data as Data, (report) => tell({ kind: "report", report }));
    tell({ kind: "ready", wakeFd: work.wakeFd });
    while (!work.loop.stopped) {
      work.loop.turn();
      work.afterTurn?.();
      aliveCounter.increment();
      for (;;) {
        const received: { readonly message: Request } | undefined = receiveMessageOnPort(requests);
        if (received === undefined) break;
        work.loop.apply(received.message);
        aliveCounter.increment();
      }
    }
    work.close();
    requests.close();
  } catch (error) {
    tell({ kind: "failed", reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    throw error;
  }
}
