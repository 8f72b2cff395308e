import { monitorEventLoopDelay } from "node:perf_hooks";
import { Gauge, type Registry } from "prom-client";

/**
 * How often the lag of the event loop is sampled. The default of prom-client, 10 ms, wakes a process at rest a hundred times a second, which was most of
 * what it did.
 */
const sampleMs = 200;

/** For the histogram of prom-client, which is not read. In ms: the longest timer of Node. */
const neverMs = 2 ** 31 - 1;

/** The samples of Node: nanoseconds between two runs of a timer, its interval included. */
export type LagSamples = Pick<
  ReturnType<typeof monitorEventLoopDelay>,
  "count" | "min" | "max" | "mean" | "stddev" | "percentile" | "reset" | "enable"
>;

/** Options of `collectDefaultMetrics` with which it takes no samples of its own. */
export const withoutLagSamples = { eventLoopMonitoringPrecision: neverMs } as const;

const nameOf = (statistic: string): string => `nodejs_eventloop_lag_${statistic}_seconds`;

const statistics: Readonly<Record<string, (samples: LagSamples) => number>> = {
  min: ({ min }) => min,
  max: ({ max }) => max,
  mean: ({ mean }) => mean,
  p50: (samples) => samples.percentile(50),
  p90: (samples) => samples.percentile(90),
  p99: (samples) => samples.percentile(99),
};

/**
 * Replaces what prom-client says about the lag of the event loop since the last reading, under the same names. There, the interval of the samples is part of
 * the lag, so that a process at rest would seem to be late by all of it.
 */
export function collectEventLoopLag(
  registry: Registry,
  samples: LagSamples = monitorEventLoopDelay({ resolution: sampleMs }),
  intervalMs = sampleMs,
): void {
  samples.enable();
  const gauges = new Map<string, Gauge>();
  const gauge = (statistic: string, help: string, collect?: () => void): void => {
    const name = nameOf(statistic);
    registry.removeSingleMetric(name);
    gauges.set(
      statistic,
      new Gauge({ name, help, registers: [registry], ...(collect === undefined ? {} : { collect }) }),
    );
  };
  // The first one sets them all.
  gauge("stddev", "The standard deviation of the recorded event loop delays.", () => {
    if (samples.count === 0) return;
    gauges.get("stddev")?.set(samples.stddev / 1e9);
    for (const [statistic, read] of Object.entries(statistics))
      gauges.get(statistic)?.set(Math.max(0, read(samples) / 1e9 - intervalMs / 1e3));
    samples.reset();
  });
  for (const statistic of Object.keys(statistics))
    gauge(statistic, `The ${statistic} of the recorded event loop delays.`);
}
