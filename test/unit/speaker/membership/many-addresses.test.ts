import assert from "node:assert/strict";
import { test } from "node:test";
import { timingFor } from "../../../../speaker/membership/timing.ts";
import { Simulation } from "./simulator/simulation.ts";

const addresses = Array.from({ length: 2000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);

test("thousands of addresses are announced and taken over without two announcers, with few packets that overtake each other", () => {
  const simulation = new Simulation({
    seed: 3,
    nodes: 3,
    hasGateway: true,
    noise: { loss: 0, duplicates: 0, delayMs: 2 },
    timing: timingFor(),
  });
  const names = simulation.nodes.map(({ name }) => name);
  for (const node of simulation.nodes) node.start();
  simulation.runUntil(500);
  for (const [index, address] of addresses.entries()) {
    const owners = names.map((_, place) => names[(index + place) % names.length] ?? "");
    simulation.events.at(500 + index / 5, () => simulation.api.setOwners(address, owners));
  }
  const withdrawn: string[] = [];
  let packets = 0;
  simulation.reported = (_, fact) => {
    if (fact.kind === "released") withdrawn.push(fact.address);
  };
  simulation.sent = () => {
    packets += 1;
  };
  simulation.runUntil(3000);
  for (const [index, address] of addresses.entries()) {
    assert.deepEqual(
      simulation.announcersOf(address).map(({ name }) => name),
      [names[index % names.length]],
    );
  }
  assert.ok(packets < 6000, `${packets} packets`);
  simulation.node(0).crash(true);
  packets = 0;
  simulation.runUntil(3400);
  for (const address of addresses) assert.equal(simulation.announcersOf(address).length, 1);
  assert.ok(packets < 500, `${packets} packets`);
  assert.deepEqual(withdrawn, []);
});
