import assert from "node:assert/strict";
import fc from "fast-check";
import type { Model } from "./model.ts";
import { checkProperties } from "./properties.ts";
import type { ReplicatedCluster } from "./replicated-cluster.ts";

/** What happens after a step before the next one comes: nothing, a short while, or all that is going to; then the properties are checked. */
type Pace = "rush" | "briefly" | "settle";

export type Step = fc.AsyncCommand<Model, ReplicatedCluster>;

interface StepDefinition {
  readonly text: string;
  readonly pace: Pace;
  readonly check?: (model: Readonly<Model>) => boolean;
  readonly run: (model: Model, clusterState: ReplicatedCluster) => Promise<void> | void;
}

export function stepOf({ text, pace, check, run }: StepDefinition): Step {
  return {
    check: (model) => check?.(model) ?? true,
    run: async (model, clusterState) => {
      clusterState.steps++;
      await run(model, clusterState);
      if (pace === "briefly") await clusterState.clock.advance(60);
      if (pace !== "settle") return;
      await clusterState.settle();
      assert.ok(!clusterState.storms, "the controllers go in circles");
      await checkProperties(model, clusterState);
    },
    toString: () => `\n  ${text} [${pace}]`,
  };
}

export const pace = fc.constantFrom<Pace>("settle", "settle", "briefly", "rush");

const poolNames = ["p0", "p1", "p2"];
export const serviceNames = ["s0", "s1", "s2", "s3", "s4", "s5"];
const poolSize = 3;

/** Each pool has places of its own, and may also have the first place of the next one. */
export function addressesOf(pool: string): readonly string[] {
  const index = poolNames.indexOf(pool);
  const base = 16 * (index + 1);
  const next = 16 * (((index + 1) % poolNames.length) + 1);
  const places = [...Array.from({ length: poolSize }, (_, offset) => base + offset), next];
  return places.flatMap(addressesAt);
}

function addressesAt(place: number): readonly string[] {
  return [`192.0.2.${place}`, `2001:db8::${place.toString(16)}`];
}

/** Mostly nothing: a Service that requests much is seldom served, and then nothing happens to it. */
export function seldom<Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> {
  return fc.oneof({ arbitrary: fc.constant(undefined), weight: 3 }, { arbitrary, weight: 1 });
}

export function withoutNulls(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

export const poolName = fc.constantFrom(...poolNames);
export const serviceName = fc.constantFrom(...serviceNames);
/** Also some that no pool ever has. */
export const anyAddresses = [...new Set(poolNames.flatMap(addressesOf)), ...addressesAt(5)];
export const anyAddress = fc.constantFrom(...anyAddresses);
