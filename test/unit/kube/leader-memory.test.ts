import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Clock } from "../../../src/clock/clock.ts";
import { runLeaderElection } from "../../../src/kube/leader-election.ts";
import { silentLogger } from "../../../src/log/log.ts";

const renewals = 20_000;
/** What one renewal may leave behind, far below the size of any object. */
const bytesLeft = 20;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

test("each renewal of the lease leaves nothing behind", async () => {
  let nowMs = 0;
  // Time passes as soon as somebody waits for it.
  const clock: Clock = {
    monotonicMs: () => nowMs,
    wallMs: () => nowMs,
    after: (ms, callback) => {
      const timer = setImmediate(() => {
        nowMs += ms;
        callback();
      });
      return () => clearImmediate(timer);
    },
  };
  const stopping = new AbortController();
  const used: number[] = [];
  let writes = 0;
  const lease = { metadata: { resourceVersion: "1" }, spec: { holderIdentity: "a" } };
  await runLeaderElection(
    {
      client: {
        request: async () => {
          writes++;
          if (writes === renewals || writes === 2 * renewals) {
            collect();
            used.push(process.memoryUsage().heapUsed);
          }
          if (writes === 2 * renewals) stopping.abort();
          return { status: 200, body: lease };
        },
        watch: () => assert.fail("the election watches nothing"),
      },
      namespace: "bellhop-system",
      name: "controller",
      identity: "a",
      lead: (signal) => new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true })),
      clock,
      random: () => 0,
      log: silentLogger,
    },
    stopping.signal,
  );
  const [before = 0, after = 0] = used;
  assert.ok((after - before) / renewals < bytesLeft, `${(after - before) / renewals} bytes for each renewal`);
});
