import { calmMs, type Step } from "./scenario.ts";
import type { Simulation } from "./simulation.ts";

/** Begins the step; it ends by itself before the calm. */
export function beginStep(simulation: Simulation, step: Step): void {
  const { api, events, network } = simulation;
  const later = (act: () => void): void => events.at(Math.min(events.nowMs + step.forMs, calmMs - 1), act);
  const names = (indexes: readonly number[]): readonly string[] => indexes.map((index) => simulation.node(index).name);
  switch (step.kind) {
    case "crash": {
      const node = simulation.node(step.node);
      node.crash(step.power);
      later(() => node.start());
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
    case "block":
      network.setBlocked(step.from, step.to, true, step.both);
      later(() => network.setBlocked(step.from, step.to, false, step.both));
      break;
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
