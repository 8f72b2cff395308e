import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { measure, peacefulCluster, peaceMs } from "../simulator/peaceful-cluster.ts";
import { deadNodesIn } from "./dead-nodes.ts";

describe("which nodes leave the data path", () => {
  for (const nodes of [3, 16]) {
    test(`one that receives nothing, until it does again; ${nodes} nodes`, () => {
      for (const seed of [1, 2, 3, 4]) {
        const simulation = peacefulCluster({ seed, nodes });
        const measured = measure(simulation);
        simulation.network.setCable(0, false, true);
        simulation.runUntil(peaceMs + 550);
        for (const { name, membership } of simulation.nodes.slice(1)) {
          assert.deepEqual(deadNodesIn(measured)[name], ["n1"], `seed ${seed}, ${name}`);
          const hearing = membership?.hearing;
          assert.ok(hearing?.heard.includes("n1") === false, `seed ${seed}, ${name}: it is not heard`);
          if (nodes === 3) assert.deepEqual(hearing.lost, ["n1"], `seed ${seed}, ${name}`);
        }
        simulation.runUntil(peaceMs + 20_000);
        assert.deepEqual(deadNodesIn(measured).n2, ["n1"], `seed ${seed}, after a while`);
        simulation.network.heal();
        simulation.runUntil(peaceMs + 20_500);
        for (const { name } of simulation.nodes.slice(1))
          assert.deepEqual(deadNodesIn(measured)[name], [], `seed ${seed}, ${name}`);
        assert.deepEqual(simulation.node(1).membership?.hearing.lost, []);
      }
    });
  }

  test("one that receives nothing and then loses its power, and one that receives nothing when it has started again", () => {
    const simulation = peacefulCluster();
    const measured = measure(simulation);
    simulation.network.setCable(0, false, true);
    simulation.runUntil(peaceMs + 2000);
    simulation.node(0).crash(true);
    simulation.runUntil(peaceMs + 4000);
    assert.deepEqual(deadNodesIn(measured).n2, ["n1"]);
    simulation.node(0).start();
    simulation.runUntil(peaceMs + 8000);
    assert.deepEqual(deadNodesIn(measured).n3, ["n1"]);
  });

  test("one that receives nothing and whose speaker then ends on purpose, until its kernel answers", () => {
    const simulation = peacefulCluster();
    const measured = measure(simulation);
    simulation.network.setCable(0, false, true);
    simulation.runUntil(peaceMs + 2000);
    simulation.node(0).leave("leave");
    simulation.runUntil(peaceMs + 12_000);
    assert.deepEqual(deadNodesIn(measured), { n1: [], n2: ["n1"], n3: ["n1"] });
    assert.deepEqual(simulation.node(1).membership?.hearing, { heard: ["n3"], lost: [] });
    simulation.network.heal();
    simulation.runUntil(peaceMs + 14_000);
    assert.deepEqual(deadNodesIn(measured), { n1: [], n2: [], n3: [] });
  });

  test("one whose speaker dies first and whose kernel dies later, and that returns in the same order", () => {
    for (const hasGateway of [true, false]) {
      const simulation = peacefulCluster({ hasGateway });
      const measured = measure(simulation);
      const n1 = simulation.node(0);
      n1.crash(false);
      simulation.runUntil(peaceMs + 3000);
      assert.deepEqual(deadNodesIn(measured), { n2: [], n3: [] });
      n1.isOn = false;
      simulation.runUntil(peaceMs + 5000);
      assert.deepEqual(deadNodesIn(measured), { n2: ["n1"], n3: ["n1"] });
      n1.isOn = true;
      simulation.runUntil(peaceMs + 7000);
      assert.deepEqual(deadNodesIn(measured), { n2: [], n3: [] });
      n1.isOn = false;
      simulation.runUntil(peaceMs + 9000);
      assert.deepEqual(deadNodesIn(measured), { n2: ["n1"], n3: ["n1"] });
      n1.start();
      simulation.runUntil(peaceMs + 10_000);
      assert.deepEqual(deadNodesIn(measured), { n1: [], n2: [], n3: [] });
    }
  });

  test("not one whose speaker is dead, at a node that was cut off for a while", () => {
    for (const hasGateway of [true, false]) {
      const simulation = peacefulCluster({ hasGateway });
      const measured = measure(simulation);
      simulation.node(0).crash(false);
      simulation.runUntil(peaceMs + 3000);
      simulation.network.setCable(1, false, false);
      simulation.runUntil(peaceMs + 6000);
      simulation.network.heal();
      simulation.runUntil(peaceMs + 9000);
      for (const [node, fact] of measured.facts)
        assert.ok(node !== "n2" || fact.kind !== "peerDown" || fact.node !== "n1" || !fact.nodeDead);
    }
  });

  test("not one whose speaker is dead, at a node of which nothing arrives anywhere", () => {
    const simulation = peacefulCluster({ otherDevices: "chatty", wire: "sealed" });
    const measured = measure(simulation);
    simulation.node(0).crash(false);
    simulation.runUntil(peaceMs + 3000);
    simulation.network.setCable(1, true, false);
    simulation.runUntil(peaceMs + 9000);
    assert.deepEqual(deadNodesIn(measured).n2, []);
  });

  test("not one whose speaker is dead and whose kernel one other node no longer reaches", () => {
    const simulation = peacefulCluster();
    const measured = measure(simulation);
    simulation.node(0).crash(false);
    simulation.runUntil(peaceMs + 3000);
    simulation.network.setBlocked(0, 1, true);
    simulation.runUntil(peaceMs + 9000);
    assert.deepEqual(deadNodesIn(measured), { n2: [], n3: [] });
  });
});
