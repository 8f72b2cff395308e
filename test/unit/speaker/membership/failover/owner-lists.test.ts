import { peaceMs, watched } from "../simulator/peaceful-cluster.ts";
import { blockBoth, testFaults } from "./fault-row.ts";

testFaults([
  {
    name: "another owner list",
    fault: (simulation) => simulation.api.setOwners(watched, ["n3", "n1"]),
    gapMs: 0,
    overlapMs: 5,
    settled: ["n3"],
  },
  {
    name: "another owner list, while the old and the new announcer do not hear each other: a third node tells the old one",
    fault: (simulation) => {
      blockBoth(simulation, 0, 1);
      simulation.events.at(peaceMs + 1000, () => simulation.api.setOwners(watched, ["n2", "n1", "n3"]));
    },
    gapMs: 0,
    overlapMs: 230,
    settled: ["n2"],
  },
  {
    name: "an owner list without the announcer, which knows of it 800 ms before the new owner",
    nodes: 4,
    fault: (simulation) => {
      simulation.api.setLag("n4", 800);
      simulation.api.setOwners(watched, ["n4"]);
    },
    gapMs: 0,
    overlapMs: 5,
    settled: ["n4"],
  },
  {
    name: "an owner list without the announcer, which does not learn of it",
    nodes: 4,
    fault: (simulation) => {
      simulation.api.setStuck("n1", 20_000);
      simulation.api.setOwners(watched, ["n4"]);
    },
    gapMs: 0,
    overlapMs: 5,
    settled: ["n4"],
  },
  {
    name: "a new first owner that never takes over: the announcer, which is no longer an owner, stops after 10 s",
    nodes: 4,
    fault: (simulation) => {
      simulation.api.setStuck("n4", 60_000);
      simulation.api.setOwners(watched, ["n4", "n2"]);
    },
    gapMs: 510,
    settled: ["n2"],
    forMs: 13_000,
  },
  {
    name: "the VirtualIP is created again within the same second, with another first owner",
    fault: (simulation) => {
      simulation.api.setOwners(watched, ["n1", "n2"]);
      simulation.events.at(peaceMs + 500, () => simulation.api.recreate(watched, ["n2", "n1"], true));
    },
    gapMs: 0,
    overlapMs: 10,
    settled: ["n2"],
  },
  {
    name: "the VirtualIP is created again later with another first owner, and the announcer does not learn of it",
    fault: (simulation) => {
      for (const afterMs of [0, 100, 200])
        simulation.events.at(peaceMs + afterMs, () => simulation.api.setOwners(watched, ["n1", "n2"]));
      simulation.events.at(peaceMs + 500, () => {
        simulation.api.setStuck("n1", 20_000);
        simulation.api.recreate(watched, ["n2", "n1"], false);
      });
    },
    gapMs: 0,
    overlapMs: 5,
    settled: ["n2"],
  },
]);
