import { type Timing, timingFor } from "../../../../../speaker/membership/timing.ts";
import { OverlapWatch } from "./overlap-watch.ts";
import { calmMs, type Scenario, type Step } from "./scenario.ts";
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

/** After this time of calm each address has exactly one announcer. */
const settledAfterMs = 3200;
/** What was found while a node was frozen is told to others within this time. */
const thawedWithinMs = 500;
/** It keeps it. */
const watchedMs = 300;

/** No node sends more packets than this in a second, for each other node. */
const maxPacketsPerPeer = 150;

/** Runs the scenario. Returns what was wrong, in words; undefined: nothing was. */
export function runScenario(scenario: Scenario, wire: Wire = "plain"): string | undefined {
  const { nodes, seed, hasGateway, lanTraffic, noise, addresses, steps, gone } = scenario;
  const simulation = new Simulation({ seed, nodes, hasGateway, lanTraffic, noise, timing: scenarioTiming, wire });
  const { api, events, network } = simulation;
  const name = (index: number): string => simulation.node(index).name;
  for (const [index, node] of simulation.nodes.entries()) {
    api.setLag(node.name, scenario.lagMs[index] ?? 0);
    node.armDelayMs = scenario.armMs[index] ?? 0;
    node.start();
  }
  for (const { address, owners } of addresses) api.setOwners(address, owners.map(name));
  for (const step of steps) events.at(step.atMs, () => begin(simulation, step, gone));
  const problems: string[] = [];
  const overlaps = new OverlapWatch(simulation, noise, problems);
  const packets = new Array<number>(nodes).fill(0);
  simulation.sent = (node) => {
    packets[node.index] = (packets[node.index] ?? 0) + 1;
  };
  // Where packets are lost or late, a connection may be accepted and what follows be lost.
  if (noise.loss === 0 && noise.delayMs <= 5) findFalselyFrozen(simulation, problems);
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
  events.at(calmMs, () => {
    network.heal();
    network.noise = { loss: 0, duplicates: 0, delayMs: 2 };
    simulation.isGatewayUp = true;
    for (const [index, node] of simulation.nodes.entries()) {
      if (gone.includes(index)) node.crash(true);
      else if (!node.isRunning) node.start();
    }
    // The controller takes nodes that are gone out of the lists of owners.
    if (gone.length === 0) return;
    for (const { address } of addresses) {
      const owners = api.get(address)?.owners.filter((owner) => !gone.some((index) => name(index) === owner)) ?? [];
      api.setOwners(
        address,
        owners.length > 0
          ? owners
          : [...simulation.nodes.filter((node) => node.isRunning)].map((node) => node.name).slice(0, 3),
      );
    }
  });
  simulation.runUntil(calmMs + settledAfterMs);
  for (
    let until = calmMs + settledAfterMs;
    until <= calmMs + settledAfterMs + watchedMs && problems.length === 0;
    until += 50
  ) {
    simulation.runUntil(until);
    for (const { address } of addresses) {
      const announcers = simulation.announcersOf(address).map((node) => node.name);
      const owners = api.get(address)?.owners ?? [];
      if (announcers.length !== 1 || !owners.includes(announcers[0] ?? "")) {
        problems.push(`at ${until}, ${address} of ${owners} is announced by [${announcers}]`);
      }
    }
  }
  for (const node of simulation.nodes)
    for (const lost of node.membership?.hearing.lost ?? [])
      if (simulation.nodes.some(({ name, isRunning }) => name === lost && isRunning))
        problems.push(`${node.name} counts ${lost} as dead, which runs`);
  return problems[0] ?? simulation.forged[0];
}

/** A node that was not frozen a moment ago must not be reported as such, except by a node that learns what others have found before. */
function findFalselyFrozen(simulation: Simulation, problems: string[]): void {
  /** By node: who counts it as frozen. */
  const believers = new Map<string, Set<string>>();
  simulation.reported = (node, fact) => {
    if (fact.kind !== "peerDown" && fact.kind !== "peerUp") return;
    const others = believers.get(fact.node) ?? new Set();
    believers.set(fact.node, others);
    others.delete(node.name);
    if (fact.kind === "peerUp" || fact.frozen !== true) return;
    const isTold = simulation.nodes.some(({ name, isRunning }) => isRunning && others.has(name));
    others.add(node.name);
    const about = simulation.nodes.find(({ name }) => name === fact.node);
    const { nowMs } = simulation.events;
    // It has just read what waited while it stood still itself.
    if (isTold || nowMs < node.stalledUntilMs + thawedWithinMs) return;
    if ((about?.frozenUntilMs ?? 0) + thawedWithinMs < nowMs)
      problems.push(`at ${nowMs}, ${node.name} counts ${fact.node} as frozen`);
  };
}

function begin(simulation: Simulation, step: Step, gone: readonly number[]): void {
  const { api, events, network } = simulation;
  const later = (act: () => void): void => events.at(Math.min(events.nowMs + step.forMs, calmMs - 1), act);
  const names = (indexes: readonly number[]): readonly string[] => indexes.map((index) => simulation.node(index).name);
  switch (step.kind) {
    case "crash": {
      const node = simulation.node(step.node);
      node.crash(step.power);
      if (!gone.includes(step.node)) later(() => node.start());
      break;
    }
    case "stall":
      simulation.node(step.node).stall(Math.min(step.forMs, calmMs - 1 - events.nowMs));
      break;
    case "freeze":
      simulation.node(step.node).freeze(Math.min(step.forMs, calmMs - 1 - events.nowMs));
      break;
    case "clock":
      simulation.node(step.node).jumpClock(step.byMs);
      break;
    case "cable":
      network.setCable(step.node, step.receives, step.sends);
      later(() => network.setCable(step.node, true, true));
      break;
    case "block": {
      const set = (blocked: boolean): void => {
        network.setBlocked(step.from, step.to, blocked);
        if (step.both) network.setBlocked(step.to, step.from, blocked);
      };
      set(true);
      later(() => set(false));
      break;
    }
    case "partition":
      for (const node of step.nodes) network.setSide(node, 1);
      later(() => {
        for (const node of step.nodes) network.setSide(node, 0);
      });
      break;
    case "gateway":
      simulation.isGatewayUp = false;
      later(() => {
        simulation.isGatewayUp = true;
      });
      break;
    case "owners":
      api.setOwners(step.address, names(step.owners));
      break;
    case "recreate":
      api.recreate(step.address, names(step.owners), step.sameSecond);
      break;
    case "unarm": {
      const node = simulation.node(step.node);
      node.setArmed(step.address, false);
      later(() => node.setArmed(step.address, true));
      break;
    }
    case "health": {
      const node = simulation.node(step.node);
      node.setHealth({ ipv4: step.ipv4, ipv6: step.ipv6 });
      later(() => node.setHealth({ ipv4: true, ipv6: true }));
      break;
    }
    case "leave": {
      const node = simulation.node(step.node);
      node.leave(step.intent);
      if (gone.includes(step.node)) break;
      const startAgain = (): void => {
        // It may still wait for its successors.
        if (node.isRunning && events.nowMs < calmMs + 1000) events.at(events.nowMs + 10, startAgain);
        else node.start();
      };
      later(startAgain);
      break;
    }
    case "watch":
      api.setStuck(simulation.node(step.node).name, Math.min(events.nowMs + step.forMs, calmMs - 1));
      break;
  }
}
