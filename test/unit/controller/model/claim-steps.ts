import fc from "fast-check";
import { isAlreadyExists, isNotFound } from "../../../../src/kube/api-error.ts";
import { ownPath } from "../../../../src/kube/path.ts";
import { type Model, touch } from "./model.ts";
import type { ReplicatedCluster } from "./replicated-cluster.ts";
import { anyAddress, anyAddresses, pace, serviceName, stepOf } from "./step.ts";

function nameOf(address: string): string {
  return address.replaceAll(":", "-");
}

async function reserve(
  model: Model,
  { cluster }: ReplicatedCluster,
  address: string,
  name: string | undefined,
): Promise<void> {
  const services = name === undefined ? [] : [{ namespace: "default", name }];
  try {
    await cluster.addVirtualIp(nameOf(address), { address, services });
  } catch (error) {
    if (isAlreadyExists(error)) return;
    throw error;
  }
  model.reservations.set(address, name);
  // Its VirtualIP was deleted a moment ago: the Service that showed the address loses it to the user.
  for (const [holder, shown] of model.shown) if (shown.has(address)) touch(model, holder);
}

async function deleteVirtualIp(model: Model, { cluster }: ReplicatedCluster, name: string): Promise<void> {
  try {
    await cluster.server.request({ method: "DELETE", path: ownPath("virtualips", name) });
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  const address = anyAddresses.find((other) => nameOf(other) === name);
  for (const blocked of model.invalid.get(name) ?? []) model.lost.add(blocked);
  model.invalid.delete(name);
  if (address !== undefined) lose(model, address);
}

/** The VirtualIP of the address is deleted, or says no longer who has it. */
function lose(model: Model, address: string): void {
  model.lost.add(address);
  model.reservations.delete(address);
  model.holds.delete(address);
  for (const [name, shown] of model.shown) {
    // One that has a reservation goes there.
    if (shown.has(address) && [...model.reservations.values()].includes(name)) touch(model, name);
  }
}

/** No name of a Service, as an object may have it that was written under a looser schema. */
const unreadable = { services: [{ namespace: "default", name: 7 }] };

/** Makes a VirtualIP that is not a valid claim: one with the name of another address, or one that does not follow its schema. */
export async function addInvalid(
  model: Model,
  { cluster }: ReplicatedCluster,
  name: string,
  address: string,
): Promise<void> {
  const named = anyAddresses.find((other) => nameOf(other) === name);
  const spec = named === address ? { address, ...unreadable } : { address };
  try {
    await cluster.addVirtualIp(name, spec);
  } catch (error) {
    if (isAlreadyExists(error)) return;
    throw error;
  }
  const blocked = [address, ...(named === undefined ? [] : [named])];
  model.invalid.set(name, blocked);
  for (const one of blocked) model.lost.add(one);
}

async function spoil(model: Model, { cluster }: ReplicatedCluster, address: string): Promise<void> {
  const name = nameOf(address);
  const body = { spec: unreadable };
  try {
    const path = ownPath("virtualips", name);
    await cluster.patch(path, body);
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  if (!model.invalid.has(name)) model.invalid.set(name, [address]);
  lose(model, address);
}

/** Users make VirtualIPs of their own, some of them invalid, spoil any and delete any. */
export const claimSteps = [
  fc.tuple(anyAddress, fc.option(serviceName, { nil: undefined, freq: 3 }), pace).map(([address, name, speed]) =>
    stepOf({
      text: `reserve ${address} for ${name ?? "nobody"}`,
      pace: speed,
      run: (model, clusterState) => reserve(model, clusterState, address, name),
    }),
  ),
  fc.tuple(anyAddress, pace).map(([address, speed]) =>
    stepOf({
      text: `delete VirtualIP ${nameOf(address)}`,
      pace: speed,
      run: (model, clusterState) => deleteVirtualIp(model, clusterState, nameOf(address)),
    }),
  ),
  pace.map((speed) =>
    stepOf({
      text: "delete all invalid VirtualIPs",
      pace: speed,
      check: (model) => model.invalid.size > 0,
      run: async (model, clusterState) => {
        for (const name of [...model.invalid.keys()]) await deleteVirtualIp(model, clusterState, name);
      },
    }),
  ),
  fc.tuple(fc.option(anyAddress, { nil: undefined, freq: 3 }), anyAddress, pace).map(([other, address, speed]) => {
    const name = other === undefined ? "no-address" : nameOf(other);
    return stepOf({
      text: `VirtualIP ${name} says that it is for ${address}${other === address ? ", and is unreadable" : ""}`,
      pace: speed,
      run: (model, clusterState) => addInvalid(model, clusterState, name, address),
    });
  }),
  fc.tuple(anyAddress, pace).map(([address, speed]) =>
    stepOf({
      text: `VirtualIP ${nameOf(address)} becomes unreadable`,
      pace: speed,
      run: (model, clusterState) => spoil(model, clusterState, address),
    }),
  ),
];
