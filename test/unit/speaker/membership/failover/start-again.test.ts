import { peaceMs } from "../simulator/peaceful-cluster.ts";
import { type FaultRow, testFaults } from "./fault-row.ts";

testFaults([
  ...[100, 2000].map(
    (armDelayMs): FaultRow => ({
      name: `the speakers of all nodes killed, and started again; that of the announcer is able to serve the address ${armDelayMs} ms later`,
      fault: (simulation) => {
        for (const node of simulation.nodes) node.crash(false);
        simulation.node(0).armDelayMs = armDelayMs;
        simulation.events.at(peaceMs + 1000, () => {
          for (const node of simulation.nodes) node.start();
        });
      },
      gapMs: 1400 + armDelayMs,
      settled: ["n1"],
      never: "n2",
      forMs: 5000,
    }),
  ),
  {
    name: "the speakers of all nodes killed, and that of the announcer starts again 20 s after the others, unhealthy for a second",
    fault: (simulation) => {
      for (const node of simulation.nodes) node.crash(false);
      const n1 = simulation.node(0);
      n1.health = { ipv4: false, ipv6: false };
      simulation.events.at(peaceMs + 1000, () => {
        for (const node of simulation.nodes.slice(1)) node.start();
      });
      simulation.events.at(peaceMs + 21_000, () => n1.start());
      simulation.events.at(peaceMs + 22_000, () => n1.setHealth({ ipv4: true, ipv6: true }));
    },
    gapMs: 22_100,
    settled: ["n1"],
    never: "n2",
    forMs: 24_000,
  },
  {
    name: "the speakers of all nodes killed, and started again; that of the announcer is never able to serve the address",
    fault: (simulation) => {
      for (const node of simulation.nodes) node.crash(false);
      simulation.node(0).armDelayMs = 60_000;
      simulation.events.at(peaceMs + 1000, () => {
        for (const node of simulation.nodes) node.start();
      });
    },
    gapMs: 4500,
    settled: ["n2"],
    forMs: 6000,
  },
  {
    name: "the announcer loses its power, and nothing arrives at it for 5 s when it has started again: it announces nothing",
    fault: (simulation) => {
      simulation.node(0).crash(true);
      simulation.events.at(peaceMs + 1000, () => {
        simulation.network.setCable(0, false, true);
        simulation.node(0).start();
      });
      simulation.events.at(peaceMs + 6000, () => simulation.network.heal());
    },
    gapMs: 231,
    settled: ["n2"],
    never: "n1",
    forMs: 9000,
  },
  ...[true, false].map(
    (lanTraffic): FaultRow => ({
      name: `power of both nodes lost, without a gateway, and only the announcer starts again: it announces the address ${
        lanTraffic ? "when it hears another device" : "not before anything is heard"
      }`,
      nodes: 2,
      hasGateway: false,
      fault: (simulation) => {
        for (const node of simulation.nodes) node.crash(true);
        simulation.events.at(peaceMs + 1000, () => simulation.node(0).start());
      },
      gapMs: lanTraffic ? 1400 : 9000,
      settled: lanTraffic ? ["n1"] : [],
      ...(lanTraffic ? {} : { never: "n1" }),
      forMs: 9000,
      options: { otherDevices: lanTraffic ? "chatty" : "silent" },
    }),
  ),
  {
    name: "the only node of a cluster starts again, and hears nothing",
    nodes: 1,
    hasGateway: false,
    fault: (simulation) => {
      simulation.node(0).crash(true);
      simulation.events.at(peaceMs + 1000, () => simulation.node(0).start());
    },
    gapMs: 1310,
    settled: ["n1"],
  },
  {
    name: "all nodes start again, without a gateway, while a firewall blocks heartbeats: the first owner finds the kernels of others",
    hasGateway: false,
    fault: (simulation) => {
      for (const node of simulation.nodes) node.crash(true);
      simulation.network.setUdp(false);
      simulation.events.at(peaceMs + 1000, () => {
        for (const node of simulation.nodes) node.start();
      });
    },
    gapMs: 1350,
    settled: ["n1"],
  },
  {
    name: "a better owner returns",
    fault: (simulation) => {
      simulation.node(0).crash(true);
      simulation.events.at(peaceMs + 1000, () => simulation.node(0).start());
    },
    gapMs: 231,
    settled: ["n2"],
  },
]);
