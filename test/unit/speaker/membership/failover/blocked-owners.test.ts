import { peaceMs, watched } from "../simulator/peaceful-cluster.ts";
import type { Simulation } from "../simulator/simulation.ts";
import { blockBoth, type FaultRow, testFaults } from "./fault-row.ts";

/** n1 and n2 are the only owners, and n1 has lost its power for a moment. So n2 announces the address until they no longer hear each other. */
function withoutHearing(then: (simulation: Simulation) => void): (simulation: Simulation) => void {
  return (simulation) => {
    const { api, events } = simulation;
    const n1 = simulation.node(0);
    api.setOwners(watched, ["n1", "n2"]);
    events.at(peaceMs + 200, () => n1.crash(true));
    events.at(peaceMs + 1000, () => n1.start());
    events.at(peaceMs + 3000, () => blockBoth(simulation, 0, 1));
    events.at(peaceMs + 4000, () => then(simulation));
  };
}

/** For 50 ms from now on. */
function losePower({ events, nodes }: Simulation, index: number): void {
  const node = nodes[index];
  node?.crash(true);
  events.at(events.nowMs + 50, () => node?.start());
}

/**
 * n1 and n2 are the only owners. n2 announces the address, because n1 cannot serve it, then loses sight of n1, which has no cable from 1 s on. n1 can
 * serve the address when it is back at 4 s, and the two do not hear each other.
 */
function withFirstOwnerBack(then: (simulation: Simulation) => void): (simulation: Simulation) => void {
  return (simulation) => {
    const { api, network, events } = simulation;
    const n1 = simulation.node(0);
    api.setOwners(watched, ["n1", "n2"]);
    events.at(peaceMs + 200, () => n1.setArmed(watched, false));
    events.at(peaceMs + 1000, () => {
      network.setCable(0, false, false);
      blockBoth(simulation, 0, 1);
    });
    events.at(peaceMs + 1500, () => n1.setArmed(watched, true));
    then(simulation);
    events.at(peaceMs + 4000, () => network.setCable(0, true, true));
  };
}

const rows: readonly FaultRow[] = [
  {
    name: "the announcer, which the first owner does not hear, and another node does, loses its power for a moment",
    fault: withoutHearing((simulation) => losePower(simulation, 1)),
    gapMs: 800,
    settled: ["n1"],
    down: ["n1 node"],
    forMs: 9000,
  },
  {
    name: "the same, and other addresses have the announcer as their first owner",
    fault: withoutHearing((simulation) => {
      const { api, events } = simulation;
      for (const last of [2, 3, 4]) api.setOwners(`192.0.2.${last}`, ["n2", "n1"]);
      events.at(events.nowMs + 500, () => losePower(simulation, 1));
    }),
    gapMs: 800,
    settled: ["n1"],
    down: ["n1 node"],
    forMs: 9000,
  },
  {
    name: "that announcer can no longer serve the address",
    fault: withoutHearing((simulation) => simulation.node(1).setArmed(watched, false)),
    gapMs: 500,
    settled: ["n1"],
    forMs: 9000,
  },
  {
    name: "the announcer loses its power for a moment, twice",
    fault: withoutHearing((simulation) => {
      const { events, network } = simulation;
      const n1 = simulation.node(0);
      losePower(simulation, 1);
      events.at(peaceMs + 6000, () => network.heal());
      events.at(peaceMs + 7000, () => n1.setArmed(watched, false));
      events.at(peaceMs + 7500, () => n1.setArmed(watched, true));
      events.at(peaceMs + 8000, () => blockBoth(simulation, 0, 1));
      events.at(peaceMs + 9000, () => losePower(simulation, 1));
    }),
    gapMs: 800,
    settled: ["n1"],
    forMs: 14_000,
  },
  {
    name: "the speaker of that announcer starts again as in an upgrade: it announces the address again, alone",
    fault: withoutHearing((simulation) => {
      const { events } = simulation;
      simulation.node(1).leave("restart");
      events.at(events.nowMs + 200, () => simulation.node(1).start());
    }),
    gapMs: 600,
    settled: ["n2"],
    forMs: 9000,
  },
  {
    name: "an announcer that took the address after it had lost its power continues, alone, when the first owner is back and does not hear it",
    fault: withFirstOwnerBack((simulation) => simulation.events.at(peaceMs + 1000, () => losePower(simulation, 1))),
    gapMs: 1000,
    settled: ["n2"],
    forMs: 9000,
  },
  {
    name: "one that waits for the first owner, which is just back, and then takes the address, does so alone",
    fault: withFirstOwnerBack((simulation) => simulation.events.at(peaceMs + 3900, () => losePower(simulation, 1))),
    gapMs: 1000,
    settled: ["n2"],
    forMs: 9000,
  },
  {
    name: "one that had lost the address, and took it again from a first owner that was cut off, announces it alone",
    fault: (simulation) => {
      const { api, network, events } = simulation;
      const n1 = simulation.node(0);
      api.setOwners(watched, ["n1", "n2"]);
      events.at(peaceMs + 200, () => n1.setArmed(watched, false));
      events.at(peaceMs + 700, () => n1.setArmed(watched, true));
      events.at(peaceMs + 1000, () => blockBoth(simulation, 0, 1));
      for (const [index, fromMs] of [
        [1, 2000],
        [0, 4000],
      ] as const) {
        events.at(peaceMs + fromMs, () => network.setCable(index, false, false));
        events.at(peaceMs + fromMs + 600, () => network.setCable(index, true, true));
      }
    },
    gapMs: 800,
    settled: ["n2"],
    forMs: 9000,
  },
  {
    name: "one that starts again after another node has become the first owner withdraws, although it does not hear that one",
    fault: (simulation) => {
      const { api, events } = simulation;
      const n1 = simulation.node(0);
      api.setOwners(watched, ["n1", "n2"]);
      events.at(peaceMs + 1000, () => blockBoth(simulation, 0, 1));
      events.at(peaceMs + 2000, () => n1.leave("restart"));
      events.at(peaceMs + 3000, () => api.setOwners(watched, ["n2", "n1"]));
      events.at(peaceMs + 4000, () => n1.start());
    },
    gapMs: 300,
    overlapMs: 2,
    settled: ["n2"],
    forMs: 9000,
  },
  {
    name: "of two that announce the address, one withdraws once the list of owners begins with the other one",
    fault: (simulation) => {
      const { api, network, events } = simulation;
      api.setOwners(watched, ["n1", "n2"]);
      events.at(peaceMs + 1000, () => blockBoth(simulation, 0, 1));
      events.at(peaceMs + 2000, () => network.setCable(0, true, false));
      events.at(peaceMs + 2600, () => network.setCable(0, true, true));
      events.at(peaceMs + 3000, () => api.setOwners(watched, ["n2", "n1"]));
    },
    gapMs: 300,
    overlapMs: 10_500,
    settled: ["n2"],
    forMs: 14_000,
  },
];

testFaults(rows);
