import type { Fact } from "../../../../../speaker/membership/effects.ts";
import { longestLeaveMs, mayBeAlone, mayBeUnheard } from "./cut-off.ts";
import { Relations } from "./relations.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import type { Simulation } from "./simulation.ts";

type PeerDown = Extract<Fact, { readonly kind: "peerDown" }>;

/** At rest no node sends more messages and requests than these in a second, for each other node. */
const maxAtRestPerPeer = 45;

/**
 * Looks for what must not be once everything has settled, and runs on for that time, in which nothing may change. `noisyUntilMs`: until then packets
 * were lost or late.
 */
export function findUnsettled(simulation: Simulation, watchedMs: number, noisyUntilMs: number): string | undefined {
  const { events, nodes } = simulation;
  const relations = new Relations(simulation);
  const problem = findWrong(simulation, relations, noisyUntilMs);
  if (problem !== undefined) return `at ${events.nowMs}, ${problem}`;
  let change: string | undefined;
  const sent = new Array<number>(nodes.length).fill(0);
  simulation.changed = (node) => {
    change ??= `at ${events.nowMs}, ${node.name} changes what it answers for`;
  };
  const late = new Set<string>();
  simulation.reported = (node, fact) => {
    if (fact.kind === "peerDown" && !late.has(`${node.name} ${fact.node}`) && mayBeLate(simulation, relations, fact))
      late.add(`${node.name} ${fact.node}`);
    else change ??= `at ${events.nowMs}, ${node.name} reports ${JSON.stringify(fact)}`;
  };
  simulation.sent = simulation.asked = (node) => {
    sent[node.index] = (sent[node.index] ?? 0) + 1;
  };
  const repeated = new Set<SimulatedNode>();
  simulation.repeated = (node) => {
    // It may forget one that died after its owner list had left it out, and had a claim until then.
    if (!repeated.has(node)) repeated.add(node);
    else change ??= `at ${events.nowMs}, ${node.name} repeats gratuitous frames`;
  };
  simulation.runUntil(events.nowMs + watchedMs);
  if (change !== undefined) return change;
  for (const [index, count] of sent.entries())
    if (count > (maxAtRestPerPeer * (nodes.length - 1) * watchedMs) / 1000)
      return `n${index + 1} sent ${count} packets in ${watchedMs} ms before ${events.nowMs}`;
  return undefined;
}

/**
 * What is true may be found out late, and once. A kubelet that could not be asked at first is asked every 2 s, and counts as silent after four such
 * questions. Where some nodes do not hear each other, a node may have no one to confirm that nothing arrives at another one.
 */
function mayBeLate({ nodes, network }: Simulation, relations: Relations, fact: PeerDown): boolean {
  const node = nodes.find(({ name }) => name === fact.node);
  if (node === undefined || !fact.nodeDead) return false;
  if (fact.frozen === true) return node.isFrozen;
  return (!node.isOn || !network.hasCable(node.index)) && relations.hasBlocks;
}

function findWrong(simulation: Simulation, relations: Relations, noisyUntilMs: number): string | undefined {
  const { sides, live } = relations;
  for (const address of simulation.api.addresses) {
    const announcers = simulation.announcersOf(address);
    for (const side of sides) {
      const problem = findWrongOn(simulation, relations, side, address, announcers, noisyUntilMs);
      if (problem !== undefined) return problem;
    }
    for (const node of announcers)
      if (!relations.hearsAnything(node) && !mayBeAlone(simulation, relations, node, address, noisyUntilMs))
        return `${node.name} announces ${address}, and hears nothing`;
  }
  for (const node of live) {
    const { lost = [], heard = [] } = node.membership?.hearing ?? {};
    for (const other of live) {
      // Otherwise by news of a third node, which is sent three times.
      const isNear =
        relations.areOpen(node, other) ||
        (noisyUntilMs === 0 &&
          live.some((third) => relations.areLinked(node, third) && relations.areLinked(third, other)));
      if (isNear && lost.includes(other.name)) return `${node.name} counts ${other.name} as dead, which runs`;
    }
    for (const name of heard)
      if (!live.some((other) => other.name === name)) return `${node.name} counts ${name} as heard, which does not run`;
  }
  return undefined;
}

/** On one side: exactly one owner announces the address, if any of them can and knows that it is not cut off. */
function findWrongOn(
  simulation: Simulation,
  relations: Relations,
  side: readonly SimulatedNode[],
  address: string,
  announcers: readonly SimulatedNode[],
  noisyUntilMs: number,
): string | undefined {
  const owners = simulation.api.get(address)?.owners ?? [];
  const here = announcers.filter((node) => side.includes(node));
  const words = `${address} of ${owners} is announced by [${here.map(({ name }) => name)}] of [${side.map(({ name }) => name)}]`;
  const [only, ...more] = here;
  if (more.length > 0) return here.every((node) => mayMissClaims(relations, owners, node, here)) ? undefined : words;
  if (only !== undefined) return owners.includes(only.name) ? undefined : words;
  const canServe = side.some(
    (node) =>
      node.canAnnounce(address) &&
      !wasTold(simulation, node, address, announcers) &&
      knowsBetterOwners(simulation, relations, side, node, owners, noisyUntilMs),
  );
  if (!canServe || !side.some((node) => relations.hearsAnything(node))) return undefined;
  if (side.every((node) => mayBeUnheard(simulation, relations, node))) return undefined;
  // A node that is not heard may have released the address, and nothing shows that it did not do so for a list that is older.
  if (simulation.api.isAmbiguous(address) && relations.hasBlocks) return undefined;
  const hears = (other: SimulatedNode): boolean =>
    side.some((node) => simulation.network.isOpen(other.index, node.index));
  // Announcers of which it hears, by themselves or by witnesses, keep the address from it even if they do not hear it. So do those that hear nothing,
  // and count all others as dead: nothing shows that they do not announce what they did.
  const isHeard =
    announcers.some((other) => hears(other) || side.some((node) => relations.areaOf(node).includes(other))) ||
    relations.live.some(
      (other) =>
        hears(other) &&
        !relations.hearsAnything(other) &&
        mayBeAlone(simulation, relations, other, address, noisyUntilMs),
    ) ||
    // An owner that they hear and that hears none of them does not tell them what it has released.
    relations.live.some(
      (other) =>
        owners.includes(other.name) &&
        hears(other) &&
        !side.some((node) => node === other || simulation.network.isOpen(node.index, other.index)),
    );
  return isHeard ? undefined : words;
}

/**
 * Whether the node and another announcer do not hear each other, and no owner hears both. Only owners are told who announces an address, and tell
 * others. So where both have announced it already, they continue.
 */
function mayMissClaims(
  relations: Relations,
  owners: readonly string[],
  node: SimulatedNode,
  announcers: readonly SimulatedNode[],
): boolean {
  const thirds = relations.live.filter(({ name }) => owners.includes(name));
  return announcers.some((other) => {
    if (other === node || relations.areOpen(node, other)) return false;
    return !thirds.some((third) => relations.areLinked(third, node) && relations.areLinked(third, other));
  });
}

/**
 * Whether a third node, which has perhaps died since, has told the node of one that announces the address to the same clients. If it announced the
 * address, too, because it does not hear that one itself, there would be two.
 */
function wasTold(
  { network }: Simulation,
  node: SimulatedNode,
  address: string,
  announcers: readonly SimulatedNode[],
): boolean {
  const told = announcers.find(({ name }) => name === node.toldOf(address));
  return (
    told !== undefined && network.hasCable(told.index) && network.sideOf(told.index) === network.sideOf(node.index)
  );
}

/**
 * A speaker does not take over from an owner that it has never heard, or heard of: perhaps that one sends no heartbeats. The controller
 * changes the list.
 */
function knowsBetterOwners(
  { nodes, network }: Simulation,
  relations: Relations,
  side: readonly SimulatedNode[],
  node: SimulatedNode,
  owners: readonly string[],
  noisyUntilMs: number,
): boolean {
  const better = owners.slice(0, owners.indexOf(node.name));
  return better.every((owner) => {
    const other = nodes.find(({ name }) => name === owner);
    if (other === undefined || side.includes(other)) return true;
    const hasHeard = ({ index, startedMs }: SimulatedNode): boolean => {
      const heardMs = network.lastHeartbeatMs(other.index, index);
      // That it has left is not passed on.
      const hasLeft = other.leavingMs < heardMs && heardMs < other.leavingMs + longestLeaveMs;
      return heardMs > startedMs && !hasLeft;
    };
    return side.some((watcher) => {
      // What it tells by others may be lost.
      const canTell = watcher === node || noisyUntilMs === 0 || relations.areOpen(watcher, node);
      return canTell && relations.areConcerned(watcher, other) && hasHeard(watcher);
    });
  });
}
