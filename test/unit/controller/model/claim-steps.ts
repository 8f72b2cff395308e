import fc from "fast-check";
import { isAlreadyExists, isNotFound } from "../../../../src/kube/api-error.ts";
import { ownPath } from "../../../../src/kube/path.ts";
import { type Model, touch } from "./model.ts";
import type { ReplicatedCluster } from "./replicated-cluster.ts";
import { anyAddress, pace, serviceName, stepOf } from "./step.ts";

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

async function deleteVirtualIp(model: Model, { cluster }: ReplicatedCluster, address: string): Promise<void> {
  try {
    await cluster.server.request({ method: "DELETE", path: ownPath("virtualips", nameOf(address)) });
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  model.lost.add(address);
  model.reservations.delete(address);
  model.holds.delete(address);
  for (const [name, shown] of model.shown) {
    // One that has a reservation goes there.
    if (shown.has(address) && [...model.reservations.values()].includes(name)) touch(model, name);
  }
}

/** Users make VirtualIPs of their own, and delete any. */
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
      run: (model, clusterState) => deleteVirtualIp(model, clusterState, address),
    }),
  ),
];
