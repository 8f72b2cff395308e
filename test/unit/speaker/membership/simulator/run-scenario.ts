import { type Timing, timingFor } from "../../../../../speaker/membership/timing.ts";
import { beginStep } from "./begin-step.ts";
import { findFalselyFrozen } from "./frozen-watch.ts";
import { beginFault, lostNode } from "./lasting-fault.ts";
import { OverlapWatch } from "./overlap-watch.ts";
import { Relations } from "./relations.ts";
import { calmMs, type Scenario } from "./scenario.ts";
import { findUnsettled } from "./settled.ts";
import { Simulation, type Wire } from "./simulation.ts";

/** Long waits are shortened so that runs are short; what is waited for takes as long as it does. */
export const scenarioTiming: Timing = {
  ...timingFor(),
  unheardDeadMs: 1500,
  moveLimitMs: 1500,
  restartHoldMs: 1000,
  returnMs: 800,
  leaveLimitMs: 800,
};

/**
 * After this time of calm each address has its announcers. Where some nodes do not hear each other, one that starts waits up to 2 s for the claims of
 * one that does not hear it, 800 ms for the former announcer, and for better owners; then both may announce it, until a third node settles that.
 */
const settledAfterMs = 3200;
const settledWithBlocksAfterMs = 4400;
/**
 * For so long nothing changes any more; in one of some runs longer, but not until a gateway that is silent has been so for 25 s by the clock of a node,
 * which changes what a silence means.
 */
const watchedMs = 1000;
const longWatchedMs = 16_000;
const longEvery = 50;

/** No node sends more packets than this in a second, for each other node. */
const maxPacketsPerPeer = 150;

/** Runs the scenario. Returns what was wrong, in words; undefined: nothing was. */
export function runScenario(scenario: Scenario, wire: Wire = "plain"): string | undefined {
  const { nodes, seed, hasGateway, otherDevices, noise, addresses, steps, lasting } = scenario;
  const simulation = new Simulation({ seed, nodes, hasGateway, otherDevices, noise, timing: scenarioTiming, wire });
  const { api, events } = simulation;
  const name = (index: number): string => simulation.node(index).name;
  for (const [index, node] of simulation.nodes.entries()) {
    api.setLag(node.name, scenario.lagMs[index] ?? 0);
    node.armDelayMs = scenario.armMs[index] ?? 0;
    node.start();
  }
  for (const { address, owners } of addresses) api.setOwners(address, owners.map(name));
  for (const step of steps) events.at(step.atMs, () => beginStep(simulation, step));
  for (const fault of lasting) events.at(fault.atMs, () => beginFault(simulation, fault));
  const problems: string[] = [];
  const overlaps = new OverlapWatch(simulation, noise, problems);
  const packets = new Array<number>(nodes).fill(0);
  simulation.sent = (node) => {
    packets[node.index] = (packets[node.index] ?? 0) + 1;
  };
  // Where packets are lost or late, a connection may be accepted and what follows be lost.
  const isNoisy = noise.loss > 0 || noise.delayMs > 5;
  if (!isNoisy) findFalselyFrozen(simulation, problems);
  const sample = (): void => {
    overlaps.sample();
    events.at(events.nowMs + 10, sample);
  };
  const count = (): void => {
    for (const [index, sent] of packets.entries()) {
      if (sent > maxPacketsPerPeer * (nodes - 1))
        problems.push(`n${index + 1} sent ${sent} packets in a second before ${events.nowMs}`);
    }
    packets.fill(0);
    events.at(events.nowMs + 1000, count);
  };
  sample();
  count();
  events.at(calmMs, () => beginCalm(simulation, scenario));
  simulation.runUntil(calmMs + settledAfterMs);
  if (new Relations(simulation).hasBlocks) simulation.runUntil(calmMs + settledWithBlocksAfterMs);
  if (problems.length > 0) return problems[0];
  const isLong = seed % longEvery === 0 && !steps.some(({ kind }) => kind === "clock");
  const unsettled = findUnsettled(simulation, isLong ? longWatchedMs : watchedMs, isNoisy ? calmMs : 0);
  return unsettled ?? problems[0] ?? simulation.forged[0];
}

/** Everything is repaired but what lasts. */
function beginCalm(simulation: Simulation, { lasting, listsFollow, addresses }: Scenario): void {
  const { api, network, nodes } = simulation;
  network.heal();
  network.noise = { loss: 0, duplicates: 0, delayMs: 2 };
  simulation.isGatewayUp = true;
  for (const fault of lasting) beginFault(simulation, fault);
  for (const node of nodes) node.start();
  for (const fault of lasting) beginFault(simulation, fault);
  const lost = new Set(lasting.map(lostNode));
  if (!listsFollow || lost.size === 0 || lost.size === nodes.length) return;
  const left = nodes.filter(({ index }) => !lost.has(index)).map(({ name }) => name);
  for (const { address } of addresses) {
    const owners = api.get(address)?.owners.filter((owner) => left.includes(owner)) ?? [];
    api.setOwners(address, owners.length > 0 ? owners : left.slice(0, 3));
  }
}
