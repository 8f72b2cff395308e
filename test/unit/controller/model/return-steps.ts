import fc from "fast-check";
import { writeStatus } from "./beside-steps.ts";
import { addInvalid } from "./claim-steps.ts";
import { type Model, type ModelPool, type ModelService, poolOf } from "./model.ts";
import { unrestrictedNamespaces } from "./pool-steps.ts";
import { checkProperties } from "./properties.ts";
import type { ReplicatedCluster } from "./replicated-cluster.ts";
import { create, heard, remove } from "./service-steps.ts";
import { pace, serviceName, serviceNames, stepOf } from "./step.ts";

/** `away`: the name of the Service that has gone. */
type Change = (model: Model, clusterState: ReplicatedCluster, address: string, away: string) => Promise<void>;

/** Changes the pool of the address, if it is one of ours. */
async function changePoolOf(
  model: Model,
  { cluster }: ReplicatedCluster,
  address: string,
  spec: Record<string, unknown>,
  facts: Partial<ModelPool>,
): Promise<void> {
  const pool = poolOf(model, address);
  if (pool === undefined || model.pools.get(pool.name) !== pool) return;
  await cluster.changePool(pool.name, spec);
  model.pools.set(pool.name, { ...pool, ...facts });
  model.poolsTouched++;
}

/** A Service of the other load balancer, not of the name of the one that is away. Creates one if there is none and a name is free. */
async function findOther(
  model: Model,
  clusterState: ReplicatedCluster,
  away: string,
): Promise<ModelService | undefined> {
  const find = (): ModelService | undefined =>
    [...model.services.values()].find((service) => service.class === "theirs" && service.type === "LoadBalancer");
  const name = serviceNames.find((free) => free !== away && !model.services.has(free));
  if (find() !== undefined || name === undefined) return find();
  const said = { dialect: "field", wanted: undefined, pool: undefined, share: undefined } as const;
  const spec = {
    families: ["IPv4"],
    policy: "SingleStack",
    port: 80,
    type: "LoadBalancer",
    reassign: undefined,
  } as const;
  await create(model, clusterState, { name, class: "theirs", ...spec, said, ...heard(model, said) });
  return find();
}

/** What may happen to the address of a Service while it is away. */
const changes: Readonly<Record<string, Change>> = {
  nothing: () => Promise.resolve(),
  "its pool drains": (model, clusterState, address) =>
    changePoolOf(model, clusterState, address, { state: "Draining" }, { draining: true }),
  "its pool is restricted": (model, clusterState, address) => {
    const spec = { serviceAllocation: unrestrictedNamespaces };
    return changePoolOf(model, clusterState, address, spec, { unrestrictedOnly: true });
  },
  "an invalid VirtualIP names its address": (model, clusterState, address) =>
    addInvalid(model, clusterState, "no-address", address),
  "another Service shows its address": async (model, clusterState, address, away) => {
    const other = await findOther(model, clusterState, away);
    if (other !== undefined)
      await writeStatus(model, clusterState, other.name, { address, keeps: false, finalizes: true });
  },
};

async function settle(model: Model, clusterState: ReplicatedCluster): Promise<void> {
  await clusterState.settle();
  await checkProperties(model, clusterState);
}

/** Services go and come again, while their addresses may be held; some request what they showed. */
export const returnSteps = [
  fc
    .tuple(
      serviceName,
      fc.constantFrom(...Object.keys(changes)),
      fc.boolean(),
      fc.constantFrom(true, true, false),
      pace,
    )
    .map(([name, change, requests, waits, speed]) =>
      stepOf({
        text: `${name} goes, ${change}${waits ? "" : " at once"}, and it comes again${requests ? " and requests what it showed" : ""}`,
        pace: speed,
        check: (model) => model.services.has(name) && (model.shown.get(name)?.size ?? 0) > 0,
        run: async (model, clusterState) => {
          const service = model.services.get(name);
          if (service === undefined) return;
          const [address] = model.shown.get(name)?.keys() ?? [];
          await remove(model, clusterState, name);
          if (waits) await settle(model, clusterState);
          if (address !== undefined) await changes[change]?.(model, clusterState, address, name);
          if (waits) await settle(model, clusterState);
          const said = { dialect: "field", wanted: address, pool: undefined, share: undefined } as const;
          await create(model, clusterState, requests ? { ...service, said, ...heard(model, said) } : service);
        },
      }),
    ),
];
