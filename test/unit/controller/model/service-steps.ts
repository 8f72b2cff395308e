import assert from "node:assert/strict";
import fc from "fast-check";
import { loadBalancerClass } from "../../../../src/api/api.ts";
import { ipsAnnotation, poolAnnotation, reassignAnnotation, shareAnnotation } from "../../../../src/api/labels.ts";
import { isAlreadyExists } from "../../../../src/kube/api-error.ts";
import { loadBalancerFinalizer } from "../../../../src/model/service.ts";
import {
  type Dialect,
  depart,
  type Family,
  familyOf,
  type Model,
  type ModelService,
  type Requests,
  type ServiceClass,
  touch,
} from "./model.ts";
import { checkProperties } from "./properties.ts";
import type { ReplicatedCluster } from "./replicated-cluster.ts";
import { anyAddress, pace, poolName, seldom, serviceName, stepOf, withoutNulls } from "./step.ts";

const families = fc.constantFrom<Pick<ModelService, "families" | "policy">>(
  { families: ["IPv4"], policy: "SingleStack" },
  { families: ["IPv6"], policy: "SingleStack" },
  { families: ["IPv4", "IPv6"], policy: "RequireDualStack" },
  { families: ["IPv6", "IPv4"], policy: "PreferDualStack" },
  { families: ["IPv4", "IPv6"], policy: "PreferDualStack" },
);
const said = fc.record({
  dialect: fc.constantFrom<Dialect>("field", "field", "bellhop.dev", "metallb.io", "metallb.universe.tf"),
  wanted: seldom(anyAddress),
  pool: seldom(poolName),
  share: seldom(fc.constant("key")),
});
const port = fc.constantFrom(80, 81);
const serviceClass = fc.constantFrom<ServiceClass>("none", "none", "none", "ours", "theirs");
const reassign = fc.constantFrom("1", "2", undefined);

/** The desired as they count. */
export function heard(model: Model, { dialect, wanted, pool, share }: ModelService["said"]): Requests {
  const counts = model.metallb || !dialect.startsWith("metallb");
  return counts ? { wanted, pool, share } : { wanted: undefined, pool: undefined, share: undefined };
}

type Annotations = Readonly<Record<keyof Requests, string>>;
const ours: Annotations = { wanted: ipsAnnotation, pool: poolAnnotation, share: shareAnnotation };

/** The name of each annotation, as MetalLB's documents have them; the field is not one. */
const vocabulary: Readonly<Record<Dialect, Annotations>> = {
  field: ours,
  "bellhop.dev": ours,
  "metallb.io": theirs("metallb.io"),
  "metallb.universe.tf": theirs("metallb.universe.tf"),
};

function theirs(prefix: string): Annotations {
  return {
    wanted: `${prefix}/loadBalancerIPs`,
    pool: `${prefix}/address-pool`,
    share: `${prefix}/allow-shared-ip`,
  };
}

function specOf({ said, ...service }: ModelService): Record<string, unknown> {
  return {
    type: service.type,
    ipFamilies: service.families,
    ipFamilyPolicy: service.policy,
    loadBalancerIP: said.dialect === "field" ? (said.wanted ?? null) : null,
    ports: [{ port: service.port, protocol: "TCP", nodePort: 30_000 + service.port }],
  };
}

/** All that may have been there before are null, unless they are there now. */
function annotationsOf({ said, ...service }: ModelService): Record<string, string | null> {
  const none = Object.values(vocabulary).flatMap((annotations) =>
    Object.values(annotations).map((name) => [name, null]),
  );
  const { wanted, pool, share } = vocabulary[said.dialect];
  return {
    ...(Object.fromEntries(none) as Record<string, null>),
    [wanted]: said.dialect === "field" ? null : (said.wanted ?? null),
    [pool]: said.pool ?? null,
    [share]: said.share ?? null,
    [reassignAnnotation]: service.reassign ?? null,
  };
}

const classes: Readonly<Record<ServiceClass, Record<string, unknown>>> = {
  none: {},
  ours: { loadBalancerClass },
  theirs: { loadBalancerClass: "example.com/other" },
};

export async function create(model: Model, { cluster }: ReplicatedCluster, service: ModelService): Promise<void> {
  const spec = { ...withoutNulls(specOf(service)), ...classes[service.class] };
  try {
    await cluster.addService(service.name, spec, { annotations: withoutNulls(annotationsOf(service)) });
  } catch (error) {
    // One of this name is still held by its finalizer: the user hears that, and nothing has happened.
    if (isAlreadyExists(error)) return;
    throw error;
  }
  model.services.set(service.name, service);
  touch(model, service.name);
}

async function change(
  model: Model,
  { cluster }: ReplicatedCluster,
  name: string,
  to: Partial<ModelService>,
): Promise<void> {
  const before = model.services.get(name);
  if (before === undefined) return;
  const service = { ...before, ...to };
  await cluster.changeService(name, { metadata: { annotations: annotationsOf(service) }, spec: specOf(service) });
  model.services.set(name, service);
  touch(model, name);
}

export async function remove(model: Model, clusterState: ReplicatedCluster, name: string): Promise<void> {
  const { cluster, clock } = clusterState;
  depart(model, name, clock.monotonicMs());
  const service = model.services.get(name);
  await cluster.deleteService(name);
  if (service !== undefined && model.finalized.has(name)) await finishDeletion(model, clusterState, service);
  model.services.delete(name);
  // Another one of this name is another one.
  model.shown.delete(name);
  for (const notes of [model.written, model.visited, model.finalized, model.claimed, model.emptied]) notes.delete(name);
}

/** The other load balancer removes its finalizer, which must be there until then if it is not ours, too. */
async function finishDeletion(model: Model, clusterState: ReplicatedCluster, service: ModelService): Promise<void> {
  const { name } = service;
  const given = [...(model.shown.get(name)?.values() ?? [])];
  const quiet = model.touched.size + model.lost.size + model.poolsTouched === 0;
  // Bellhop has refused it and removes no finalizer. None but Bellhop serves its class.
  const refused = quiet && service.class === "none" && given.length > 0 && !given.some(({ claimed }) => claimed);
  await clusterState.settle();
  const left = await clusterState.cluster.service(name);
  if (service.type === "LoadBalancer" && (service.class === "theirs" || refused))
    assert.deepEqual(left?.metadata?.finalizers, [loadBalancerFinalizer], `the finalizer of ${name} is not ours`);
  if (left !== undefined) await clusterState.cluster.changeService(name, { metadata: { finalizers: null } });
}

/**
 * Each requests the first address that the other one showed when all was quiet, if it is of one family. `keepsRequests`: besides what it
 * requests already.
 */
async function exchange(
  model: Model,
  clusterState: ReplicatedCluster,
  left: string,
  right: string,
  keepsRequests: boolean,
): Promise<void> {
  const [first] = model.shown.get(left)?.keys() ?? [];
  const [second] = model.shown.get(right)?.keys() ?? [];
  if (first === undefined || second === undefined || familyOf(first) !== familyOf(second)) return;
  for (const [name, wanted] of [
    [left, second],
    [right, first],
  ] as const) {
    const before = keepsRequests ? model.services.get(name)?.said : undefined;
    const said = { dialect: "field", pool: undefined, share: undefined, ...before, wanted } as const;
    await change(model, clusterState, name, { said, ...heard(model, said) });
  }
}

/** A Service comes. */
const creating = fc
  .tuple(serviceName, families, said, port, seldom(reassign), serviceClass, pace)
  .map(([name, stack, said, port, reassign, serviceClass, speed]) => {
    const about = { name, class: serviceClass, ...stack, port, reassign };
    return stepOf({
      text: `create ${JSON.stringify({ ...about, said })}`,
      pace: speed,
      check: (model) => !model.services.has(name),
      run: (model, clusterState) =>
        create(model, clusterState, { ...about, type: "LoadBalancer", said, ...heard(model, said) }),
    });
  });

/** Services that are there from the beginning. */
export const firstServices = fc.array(creating, { maxLength: 4 });

/** Users create, change and delete Services. */
export const serviceSteps = [
  creating,
  fc.tuple(serviceName, pace).map(([name, speed]) =>
    stepOf({
      text: `delete ${name}`,
      pace: speed,
      check: (model) => model.services.has(name),
      run: (model, clusterState) => remove(model, clusterState, name),
    }),
  ),
  fc.tuple(serviceName, pace).map(([name, speed]) =>
    stepOf({
      text: `${name} goes and comes again`,
      pace: speed,
      check: (model) => model.services.has(name),
      run: async (model, clusterState) => {
        const service = model.services.get(name);
        if (service === undefined) return;
        await remove(model, clusterState, name);
        await clusterState.settle();
        await checkProperties(model, clusterState);
        await create(model, clusterState, service);
      },
    }),
  ),
  fc.tuple(serviceName, said, port, pace).map(([name, said, port, speed]) =>
    stepOf({
      text: `${name} asks for ${JSON.stringify({ ...said, port })}`,
      pace: speed,
      check: (model) => model.services.has(name),
      run: (model, clusterState) => change(model, clusterState, name, { said, port, ...heard(model, said) }),
    }),
  ),
  fc.tuple(serviceName, serviceName, fc.boolean(), pace).map(([left, right, keepsRequests, speed]) =>
    stepOf({
      text: `${left} and ${right} exchange what they show${keepsRequests ? ", and keep their other requests" : ""}`,
      pace: speed,
      check: (model) => left !== right && model.services.has(left) && model.services.has(right),
      run: (model, clusterState) => exchange(model, clusterState, left, right, keepsRequests),
    }),
  ),
  fc.tuple(serviceName, reassign, pace).map(([name, text, speed]) =>
    stepOf({
      text: `${name} asks for another address: ${text}`,
      pace: speed,
      check: (model) => model.services.has(name),
      run: (model, clusterState) => change(model, clusterState, name, { reassign: text }),
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
        run: (model, clusterState) => {
          const first = model.services.get(name)?.families[0] ?? "IPv4";
          const second: Family = first === "IPv4" ? "IPv6" : "IPv4";
          return change(model, clusterState, name, {
            policy,
            families: policy === "SingleStack" ? [first] : [first, second],
          });
        },
      }),
    ),
  fc.tuple(serviceName, pace).map(([name, speed]) =>
    stepOf({
      text: `${name} changes its type`,
      pace: speed,
      check: (model) => model.services.has(name),
      run: async (model, clusterState) => {
        const isLoadBalancer = model.services.get(name)?.type === "LoadBalancer";
        // The API server empties the status, as another client might.
        if (isLoadBalancer) {
          model.written.delete(name);
          model.emptied.add(name);
        }
        if (isLoadBalancer) depart(model, name, clusterState.clock.monotonicMs());
        // The API server takes the class away with the type.
        await change(model, clusterState, name, {
          type: isLoadBalancer ? "ClusterIP" : "LoadBalancer",
          class: "none",
        });
      },
    }),
  ),
];
