import { peaceMs, watched } from "../simulator/peaceful-cluster.ts";
import { testFaults } from "./fault-row.ts";

testFaults([
  {
    name: "the announcer can no longer deliver",
    fault: (simulation) => simulation.node(0).setHealth({ ipv4: false, ipv6: true }),
    gapMs: 0,
    overlapMs: 5,
    settled: ["n2"],
    down: [],
  },
  {
    name: "the announcer can no longer deliver another family",
    fault: (simulation) => simulation.node(0).setHealth({ ipv4: true, ipv6: false }),
    gapMs: 0,
    settled: ["n1"],
  },
  {
    name: "the rules of the address are gone at the announcer",
    fault: (simulation) => simulation.node(0).setArmed(watched, false),
    gapMs: 5,
    settled: ["n2"],
  },
  {
    name: "power of the announcer lost, while the next owner cannot deliver",
    fault: (simulation) => {
      simulation.node(1).setHealth({ ipv4: false, ipv6: true });
      simulation.events.at(peaceMs + 500, () => simulation.node(0).crash(true));
    },
    gapMs: 231,
    settled: ["n3"],
    never: "n2",
  },
]);
