import type { Network } from "./network.ts";
import type { Relations } from "./relations.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import { device, gateway, type Simulation } from "./simulation.ts";

/** A node that is heard within this time before another one was cut off is alive for that one. */
const surelyAliveMs = 150;

/** What was said so long ago may still be the last that a node has heard. */
const toldMs = 300;

/** A node that leaves ends within this time. */
export const longestLeaveMs = 1500;

/**
 * Whether the node may announce the address although it is cut off. It withdraws what others may announce instead once all of several nodes fall
 * silent together. If it heard none until then, it asks nobody. Where no gateway ever answered, it cannot know which of the two is cut off if it heard
 * only one, and it counts as unheard rather than cut off if the others said so until then.
 */
export function mayBeAlone(
  { nodes, network, api }: Simulation,
  relations: Relations,
  node: SimulatedNode,
  address: string,
  noisyUntilMs: number,
): boolean {
  const { index, startedMs } = node;
  const sources = [...nodes.map((other) => other.index), gateway, device];
  const heardMs = Math.max(...sources.map((from) => network.lastPacketMs(from, index)));
  // Its process never heard anything.
  if (heardMs < startedMs) return api.get(address)?.owners.every((owner) => owner === node.name) === true;
  // Witnesses may have said of nodes that live that they do not.
  if (heardMs < noisyUntilMs) return true;
  const alive = nodes.filter((other) => {
    if (!relations.areConcerned(node, other)) return false;
    if (network.lastHeartbeatMs(other.index, index) < Math.max(heardMs - surelyAliveMs, startedMs)) return false;
    // One that has said that it leaves, or was silent already, is not missed.
    return !other.silencedMs.some((atMs) => atMs > heardMs - longestLeaveMs && atMs <= heardMs);
  });
  if (alive.length === 0) return true;
  if (network.lastPacketMs(gateway, index) > startedMs) return false;
  return alive.length === 1 || alive.every((other) => hasPaused(network, index, other.index, heardMs));
}

/**
 * Whether the last that the node heard from another one was that this one does not hear it, and only a gateway can show whether anything does. The one
 * that answered before is silent now.
 */
export function mayBeUnheard(
  { nodes, network, hasGateway }: Simulation,
  relations: Relations,
  node: SimulatedNode,
): boolean {
  const { index, startedMs } = node;
  if (hasGateway && network.isOpen(gateway, index) && network.isOpen(index, gateway)) return false;
  if (network.lastPacketMs(gateway, index) < startedMs) return false;
  return nodes.some((other) => {
    const heardMs = network.lastHeartbeatMs(other.index, index);
    if (heardMs < startedMs || !relations.areConcerned(node, other)) return false;
    return hasPaused(network, index, other.index, heardMs);
  });
}

/** Whether heartbeats from there did not arrive at that time, or a moment before. */
function hasPaused(network: Network, from: number, to: number, atMs: number): boolean {
  return network.lastHeartbeatMs(from, to) < atMs - toldMs || network.lastPauseMs(from, to) > atMs - toldMs;
}
