import { peaceMs, watched } from "../simulator/peaceful-cluster.ts";
import { testFaults } from "./fault-row.ts";

testFaults([
  {
    name: "speaker of the announcer killed; its kernel still answers and forwards",
    fault: (simulation) => simulation.node(0).crash(false),
    gapMs: 456,
    settled: ["n2"],
    down: ["n1 speaker"],
  },
  {
    name: "speaker of the announcer killed and started within 50 ms, and not armed again",
    fault: (simulation) => {
      const node = simulation.node(0);
      node.crash(false);
      node.armDelayMs = 60_000;
      simulation.events.at(peaceMs + 50, () => node.start());
    },
    gapMs: 400,
    settled: ["n2"],
    down: [],
  },
  {
    name: "the same where the status names the announcer: this is not a start of all speakers",
    fault: (simulation) => {
      simulation.api.setOwners(watched, ["n1", "n2", "n3"]);
      simulation.events.at(peaceMs + 500, () => {
        const node = simulation.node(0);
        node.crash(false);
        node.armDelayMs = 60_000;
        simulation.events.at(peaceMs + 550, () => node.start());
      });
    },
    gapMs: 400,
    settled: ["n2"],
    down: [],
  },
  {
    name: "the announcer leaves",
    fault: (simulation) => simulation.node(0).leave("leave"),
    gapMs: 0,
    overlapMs: 5,
    settled: ["n2"],
    down: [],
  },
  {
    name: "the announcer restarts within the time that it is left alone",
    fault: (simulation) => {
      simulation.node(0).leave("restart");
      simulation.events.at(peaceMs + 1500, () => simulation.node(0).start());
    },
    gapMs: 1600,
    settled: ["n1"],
    down: [],
  },
  {
    name: "the announcer says that it restarts, and does not return",
    fault: (simulation) => simulation.node(0).leave("restart"),
    gapMs: 5600,
    settled: ["n2"],
    down: ["n1 speaker"],
    forMs: 7000,
  },
  {
    name: "an announcer that is not the first owner restarts, and continues",
    fault: (simulation) => {
      simulation.node(0).crash(true);
      simulation.events.at(peaceMs + 1000, () => simulation.node(0).start());
      simulation.events.at(peaceMs + 2000, () => simulation.node(1).leave("restart"));
      simulation.events.at(peaceMs + 2500, () => simulation.node(1).start());
    },
    gapMs: 650,
    settled: ["n2"],
  },
  {
    name: "thread of the announcer frozen for 2 s",
    fault: (simulation) => simulation.node(0).stall(2000),
    gapMs: 456,
    settled: ["n2"],
    down: ["n1 speaker"],
  },
  {
    name: "thread of the announcer frozen for 180 ms",
    fault: (simulation) => simulation.node(0).stall(180),
    gapMs: 190,
    settled: ["n1"],
    down: [],
  },
  {
    name: "a waiting owner was frozen for 2 s: it does not take the address when it continues",
    fault: (simulation) => simulation.node(1).stall(2000),
    gapMs: 0,
    settled: ["n1"],
    never: "n2",
  },
]);
