import assert from "node:assert/strict";
import fc from "fast-check";
import { poolAnnotation, shareAnnotation } from "../../../../src/config/labels.ts";
import { isAlreadyExists } from "../../../../src/kube/api-error.ts";
import { ownPath } from "../../../../src/kube/path.ts";
import { checkLaws } from "./laws.ts";
import type { Family, Model, ModelPool, ModelService } from "./model.ts";
import type { Fate } from "./mortal-client.ts";
import type { World } from "./world.ts";

/** What happens after a step before the next one comes: nothing, a short while, or all that is going to; then the laws are checked. */
type Pace = "rush" | "briefly" | "settle";

export type Step = fc.AsyncCommand<Model, World>;

interface StepDefinition {
  readonly text: string;
  readonly pace: Pace;
  readonly check?: (model: Readonly<Model>) => boolean;
  readonly run: (model: Model, world: World) => Promise<void> | void;
}

function stepOf({ text, pace, check, run }: StepDefinition): Step {
  return {
    check: (model) => check?.(model) ?? true,
    run: async (model, world) => {
      world.steps++;
      await run(model, world);
      if (pace === "briefly") await world.clock.advance(60);
      if (pace !== "settle") return;
      await world.settle();
      assert.ok(!world.storms, "the controllers go in circles");
      await checkLaws(model, world.cluster);
    },
    toString: () => `\n  ${text} [${pace}]`,
  };
}

const poolNames = ["p0", "p1", "p2"];
const serviceNames = ["s0", "s1", "s2", "s3", "s4", "s5"];
const poolSize = 3;

/** Pools never overlap: each has places of its own for its addresses. */
function addressesOf(pool: string): readonly string[] {
  const base = 16 * (poolNames.indexOf(pool) + 1);
  const places = Array.from({ length: poolSize }, (_, index) => base + index);
  return places.flatMap((place) => [`192.0.2.${place}`, `2001:db8::${place.toString(16)}`]);
}

const pace = fc.constantFrom<Pace>("settle", "settle", "briefly", "rush");
const poolName = fc.constantFrom(...poolNames);
const serviceName = fc.constantFrom(...serviceNames);
const anyAddress = fc.constantFrom(...poolNames.flatMap(addressesOf));
/** Bits say which of the pool's places it has, and which of those it excludes. */
const poolSpec = fc.record({
  mask: fc.integer({ min: 1, max: 2 ** (2 * poolSize) - 1 }),
  excluded: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** (2 * poolSize) - 1 })),
  autoAssign: fc.boolean(),
  draining: fc.constantFrom(false, false, false, true),
});
type PoolSpec = typeof poolSpec extends fc.Arbitrary<infer Spec> ? Spec : never;
const families = fc.constantFrom<Pick<ModelService, "families" | "policy">>(
  { families: ["IPv4"], policy: "SingleStack" },
  { families: ["IPv6"], policy: "SingleStack" },
  { families: ["IPv4", "IPv6"], policy: "RequireDualStack" },
  { families: ["IPv6", "IPv4"], policy: "PreferDualStack" },
  { families: ["IPv4", "IPv6"], policy: "PreferDualStack" },
);
const wish = fc.record({
  wanted: fc.option(anyAddress, { nil: undefined, freq: 2 }),
  pool: fc.option(poolName, { nil: undefined, freq: 2 }),
  share: fc.option(fc.constant("key"), { nil: undefined, freq: 2 }),
  port: fc.constantFrom(80, 81),
});

function placesOf(name: string, mask: number): readonly string[] {
  return addressesOf(name).filter((_, index) => (mask >> index) & 1);
}

function modelPool(name: string, { mask, excluded, autoAssign, draining }: PoolSpec): ModelPool {
  return { name, autoAssign, draining, addresses: placesOf(name, mask & ~excluded) };
}

function poolFields(name: string, { mask, excluded, autoAssign, draining }: PoolSpec) {
  const exclude = placesOf(name, mask & excluded);
  return { addresses: placesOf(name, mask), exclude, autoAssign, state: draining ? "Draining" : "Active" };
}

/** Pools come, change and go. */
const poolSteps = [
  fc.tuple(poolName, poolSpec, pace).map(([name, spec, speed]) =>
    stepOf({
      text: `pool ${name} = ${JSON.stringify(poolFields(name, spec))}`,
      pace: speed,
      run: async (model, { cluster }) => {
        const pool = modelPool(name, spec);
        const { addresses, ...rest } = poolFields(name, spec);
        if (model.pools.has(name)) await cluster.changePool(name, { addresses, ...rest });
        else await cluster.addPool(name, addresses, rest);
        model.pools.set(name, pool);
      },
    }),
  ),
  fc.tuple(poolName, pace).map(([name, speed]) =>
    stepOf({
      text: `delete pool ${name}`,
      pace: speed,
      check: (model) => model.pools.has(name),
      run: async (model, { cluster }) => {
        await cluster.server.request({ method: "DELETE", path: ownPath("ipaddresspools", name) });
        model.pools.delete(name);
      },
    }),
  ),
];

function specOf(service: ModelService): Record<string, unknown> {
  return {
    type: service.type,
    ipFamilies: service.families,
    ipFamilyPolicy: service.policy,
    loadBalancerIP: service.wanted ?? null,
    ports: [{ port: service.port, protocol: "TCP", nodePort: 30_000 + service.port }],
  };
}

function annotationsOf(service: ModelService): Record<string, string | null> {
  return { [poolAnnotation]: service.pool ?? null, [shareAnnotation]: service.share ?? null };
}

function withoutNulls(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

async function change(model: Model, { cluster }: World, name: string, to: Partial<ModelService>): Promise<void> {
  const before = model.services.get(name);
  if (before === undefined) return;
  const service = { ...before, ...to };
  await cluster.changeService(name, { metadata: { annotations: annotationsOf(service) }, spec: specOf(service) });
  model.services.set(name, service);
  model.touched.add(name);
}

/** Users create, change and delete Services. */
const serviceSteps = [
  fc
    .tuple(serviceName, families, wish, fc.constantFrom(false, false, false, true), pace)
    .map(([name, stack, wishes, foreign, speed]) => {
      const service: ModelService = { name, type: "LoadBalancer", foreign, ...stack, ...wishes };
      return stepOf({
        text: `create ${JSON.stringify(service)}`,
        pace: speed,
        check: (model) => !model.services.has(name),
        run: async (model, { cluster }) => {
          const classed = foreign ? { loadBalancerClass: "example.com/other" } : {};
          try {
            await cluster.addService(
              name,
              { ...withoutNulls(specOf(service)), ...classed },
              { annotations: withoutNulls(annotationsOf(service)) },
            );
          } catch (error) {
            // One of this name is still held by its finalizer: the user hears that, and nothing has happened.
            if (isAlreadyExists(error)) return;
            throw error;
          }
          model.services.set(name, service);
          model.touched.add(name);
        },
      });
    }),
  fc.tuple(serviceName, pace).map(([name, speed]) =>
    stepOf({
      text: `delete ${name}`,
      pace: speed,
      check: (model) => model.services.has(name),
      run: async (model, { cluster }) => {
        await cluster.deleteService(name);
        model.services.delete(name);
        // Another one of this name is another one.
        model.shown.delete(name);
      },
    }),
  ),
  fc.tuple(serviceName, wish, pace).map(([name, wishes, speed]) =>
    stepOf({
      text: `${name} asks for ${JSON.stringify(wishes)}`,
      pace: speed,
      check: (model) => model.services.has(name),
      run: (model, world) => change(model, world, name, wishes),
    }),
  ),
  fc
    .tuple(
      serviceName,
      fc.constantFrom<ModelService["policy"]>("SingleStack", "PreferDualStack", "RequireDualStack"),
      pace,
    )
    .map(([name, policy, speed]) =>
      stepOf({
        text: `${name} becomes ${policy}`,
        pace: speed,
        check: (model) => model.services.has(name),
        run: (model, world) => {
          const first = model.services.get(name)?.families[0] ?? "IPv4";
          const second: Family = first === "IPv4" ? "IPv6" : "IPv4";
          return change(model, world, name, { policy, families: policy === "SingleStack" ? [first] : [first, second] });
        },
      }),
    ),
  fc.tuple(serviceName, pace).map(([name, speed]) =>
    stepOf({
      text: `${name} changes its type`,
      pace: speed,
      check: (model) => model.services.has(name),
      run: async (model, world) => {
        const isLoadBalancer = model.services.get(name)?.type === "LoadBalancer";
        // The API server takes the class away with the type.
        await change(model, world, name, { type: isLoadBalancer ? "ClusterIP" : "LoadBalancer", foreign: false });
      },
    }),
  ),
];

/** Controllers stop, start, stand beside one another, and die at a write; requests, answers and watches get lost. */
const faultSteps = [
  pace.map((speed) =>
    stepOf({
      text: "restart",
      pace: speed,
      run: async (_, world) => {
        await world.stopOne();
        await world.startOne();
      },
    }),
  ),
  pace.map((speed) =>
    stepOf({
      text: "a second controller leads as well",
      pace: speed,
      run: async (_, world) => {
        if (world.replicas < 2) await world.startOne();
        else await world.stopOne();
      },
    }),
  ),
  fc
    .tuple(
      fc.array(fc.constantFrom<Fate>("lost-request", "lost-answer", "dies-before", "dies-after"), {
        minLength: 1,
        maxLength: 4,
      }),
      pace,
    )
    .map(([fates, speed]) =>
      stepOf({ text: `next writes: ${fates}`, pace: speed, run: (_, world) => world.spoil(fates) }),
    ),
  fc.tuple(fc.boolean(), pace).map(([expired, speed]) =>
    stepOf({
      text: `watches break${expired ? ", versions expire" : ""}`,
      pace: speed,
      run: (_, world) => world.breakWatches(expired),
    }),
  ),
];

export const allSteps: readonly fc.Arbitrary<Step>[] = [
  ...poolSteps,
  // As often as everything else together.
  ...serviceSteps,
  ...serviceSteps,
  ...faultSteps,
];
