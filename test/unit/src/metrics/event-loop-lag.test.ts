import assert from "node:assert/strict";
import { test } from "node:test";
import { collectEventLoopLag } from "../../../../src/metrics/event-loop-lag.ts";
import { collectProcessMetrics, createRegistry } from "../../../../src/metrics/registry.ts";

/** What Node records of a timer of 200 ms in a process at rest that was once late by 50 ms. */
function samplesOf(count: number) {
  return {
    count,
    min: 199_500_000,
    max: 250_000_000,
    mean: 201_000_000,
    stddev: 2_000_000,
    percentile: (percent: number) => (percent === 99 ? 250_000_000 : 200_100_000),
    reset: () => {},
    enable: () => true,
  };
}

async function lagOf(samples: ReturnType<typeof samplesOf>): Promise<Readonly<Record<string, number | undefined>>> {
  const registry = createRegistry();
  collectEventLoopLag(registry, samples, 200);
  const metrics = await registry.getMetricsAsJSON();
  return Object.fromEntries(
    metrics.map(({ name, values }) => [name.replace(/^nodejs_eventloop_lag_|_seconds$/g, ""), values[0]?.value]),
  );
}

test("the interval of the samples is not part of the lag of the event loop", async () => {
  const {
    min = Number.NaN,
    max = Number.NaN,
    mean = Number.NaN,
    p50 = Number.NaN,
    p99 = Number.NaN,
  } = await lagOf(samplesOf(150));
  const inMs = [min, max, mean, p50, p99].map((seconds) => Math.round(seconds * 10_000) / 10);
  assert.deepEqual(inMs, [0, 50, 1, 0.1, 50]);
});

test("two readings within an interval of the samples say nothing absurd", async () => {
  assert.deepEqual(
    new Set(Object.values(await lagOf({ ...samplesOf(0), min: 2 ** 63, mean: Number.NaN }))),
    new Set([0]),
  );
});

test("each metric of the event loop of a process is there once", async () => {
  const registry = createRegistry();
  collectProcessMetrics(registry);
  const names = (await registry.getMetricsAsJSON())
    .map(({ name }) => name)
    .filter((name) => name.includes("eventloop_lag"));
  const statistics = ["stddev", "min", "max", "mean", "p50", "p90", "p99"].map(
    (one) => `nodejs_eventloop_lag_${one}_seconds`,
  );
  assert.deepEqual(names.toSorted(), ["nodejs_eventloop_lag_seconds", ...statistics].toSorted());
});
