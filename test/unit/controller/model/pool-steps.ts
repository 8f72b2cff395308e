import fc from "fast-check";
import { metallbPath, ownPath } from "../../../../src/kube/path.ts";
import { holdMs } from "./hold-properties.ts";
import type { Model, ModelPool } from "./model.ts";
import type { ReplicatedCluster } from "./replicated-cluster.ts";
import { addressesOf, pace, poolName, stepOf, withoutNulls } from "./step.ts";

const places = 8;
/** Bits of the places that are the pool's own. */
const own = 2 ** 6 - 1;

/** Bits say which of the pool's places it has, and which of those it excludes. Few have the place of another pool. */
const mask = fc.oneof(
  { arbitrary: fc.integer({ min: 1, max: own }), weight: 4 },
  { arbitrary: fc.integer({ min: 1, max: 2 ** places - 1 }), weight: 1 },
);
const poolSpec = fc.record({
  mask,
  excluded: fc.oneof(
    { arbitrary: fc.constant(0), weight: 3 },
    { arbitrary: fc.integer({ min: 0, max: 2 ** places - 1 }), weight: 1 },
  ),
  autoAssign: fc.constantFrom(true, true, true, false),
  draining: fc.constantFrom(false, false, false, false, false, true),
  holds: fc.boolean(),
  unrestrictedOnly: fc.constantFrom(false, false, true),
});
type PoolSpec = typeof poolSpec extends fc.Arbitrary<infer Spec> ? Spec : never;

function placesOf(name: string, bits: number): readonly string[] {
  return addressesOf(name).filter((_, index) => (bits >> index) & 1);
}

/** The namespaces that such a pool serves: all but those with this label. */
export const restrictedLabels = { tier: "restricted" };
export const unrestrictedNamespaces = {
  namespaceSelectors: [{ matchExpressions: [{ key: "tier", operator: "NotIn", values: ["restricted"] }] }],
};

function fieldsOf(name: string, { mask, excluded, autoAssign, draining, holds, unrestrictedOnly }: PoolSpec) {
  return {
    addresses: placesOf(name, mask),
    exclude: placesOf(name, mask & excluded),
    autoAssign,
    state: draining ? "Draining" : "Active",
    holdAfterDelete: holds ? `${holdMs / 1000}s` : null,
    serviceAllocation: unrestrictedOnly ? unrestrictedNamespaces : null,
  };
}

/** Gives the pool its place by age: an edit makes it no younger. */
function notePool(model: Model, pools: Map<string, ModelPool>, pool: Omit<ModelPool, "born">): void {
  const born = pools.get(pool.name)?.born ?? model.births++;
  pools.set(pool.name, { ...pool, born });
  model.poolsTouched++;
}

async function putPool(model: Model, { cluster }: ReplicatedCluster, name: string, spec: PoolSpec): Promise<void> {
  const { addresses, ...rest } = fieldsOf(name, spec);
  if (model.pools.has(name)) await cluster.changePool(name, { addresses, ...rest });
  else await cluster.addPool(name, addresses, withoutNulls(rest));
  const left = placesOf(name, spec.mask & ~spec.excluded);
  const { autoAssign, draining, holds, unrestrictedOnly } = spec;
  const facts = { autoAssign, draining, unrestrictedOnly, holdMs: holds ? holdMs : 0 };
  notePool(model, model.pools, { name, addresses: left, ...facts });
}

const metallbPools = metallbPath("metallb-system", "ipaddresspools");

async function putMetallbPool(
  model: Model,
  { cluster }: ReplicatedCluster,
  name: string,
  spec: Pick<PoolSpec, "mask" | "autoAssign">,
): Promise<void> {
  const { autoAssign } = spec;
  const addresses = placesOf(name, spec.mask);
  const body = { metadata: { name }, spec: { addresses, autoAssign } };
  if (!model.metallbPools.has(name)) await cluster.server.request({ method: "POST", path: metallbPools, body });
  else {
    const contentType = "application/merge-patch+json";
    await cluster.server.request({ method: "PATCH", path: `${metallbPools}/${name}`, body, contentType });
  }
  const facts = { autoAssign, draining: false, unrestrictedOnly: false, holdMs: 0 };
  notePool(model, model.metallbPools, { name, addresses, ...facts });
}

/** A pool comes or changes. */
const putting = fc.tuple(poolName, poolSpec, pace).map(([name, spec, speed]) =>
  stepOf({
    text: `pool ${name} = ${JSON.stringify(fieldsOf(name, spec))}`,
    pace: speed,
    run: (model, clusterState) => putPool(model, clusterState, name, spec),
  }),
);

/** Pools that are there from the beginning. */
export const firstPools = fc.array(putting, { minLength: 1, maxLength: 3 });

/** Pools come, change and go, ours and MetalLB's. */
export const poolSteps = [
  putting,
  fc.tuple(poolName, pace).map(([name, speed]) =>
    stepOf({
      text: `delete pool ${name}`,
      pace: speed,
      check: (model) => model.pools.has(name),
      run: async (model, { cluster }) => {
        await cluster.server.request({ method: "DELETE", path: ownPath("ipaddresspools", name) });
        model.pools.delete(name);
        model.poolsTouched++;
      },
    }),
  ),
  fc.tuple(poolName, mask, fc.boolean(), pace).map(([name, bits, autoAssign, speed]) =>
    stepOf({
      text: `pool ${name} of MetalLB = ${JSON.stringify({ addresses: placesOf(name, bits), autoAssign })}`,
      pace: speed,
      check: (model) => model.metallb,
      run: (model, clusterState) => putMetallbPool(model, clusterState, name, { mask: bits, autoAssign }),
    }),
  ),
  fc.tuple(poolName, pace).map(([name, speed]) =>
    stepOf({
      text: `delete pool ${name} of MetalLB`,
      pace: speed,
      check: (model) => model.metallbPools.has(name),
      run: async (model, { cluster }) => {
        await cluster.server.request({ method: "DELETE", path: `${metallbPools}/${name}` });
        model.metallbPools.delete(name);
        model.poolsTouched++;
      },
    }),
  ),
];
