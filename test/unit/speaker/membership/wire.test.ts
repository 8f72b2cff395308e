import assert from "node:assert/strict";
import { test } from "node:test";
import { timingFor } from "../../../../speaker/membership/timing.ts";
import { decodeMessages, encodeMessage } from "../../../../src/heartbeat/message-codec.ts";
import { maxPayloadLength } from "../../../../src/heartbeat/packet-header.ts";
import { Simulation } from "./simulator/simulation.ts";

/** What is left for a message in a packet of the node with the longest name. */
const longest = maxPayloadLength(Buffer.from("n".repeat(253)));

test("every message that nodes send each other fits into a packet, and arrives as it was sent", () => {
  const simulation = new Simulation({
    seed: 7,
    nodes: 6,
    hasGateway: true,
    noise: { loss: 0.1, duplicates: 0.05, delayMs: 5 },
    timing: timingFor(),
  });
  const buffer = new Uint8Array(longest);
  const kinds = new Map<string, number>();
  simulation.sent = (_, effect) => {
    if (effect.kind !== "send") return;
    const { message } = effect;
    const length = encodeMessage(message, buffer, 0);
    assert.deepEqual(decodeMessages(buffer.subarray(0, length)), [message]);
    kinds.set(message.kind, (kinds.get(message.kind) ?? 0) + 1);
  };
  const names = simulation.nodes.map(({ name }) => name);
  for (const node of simulation.nodes) node.start();
  for (let index = 0; index < 200; index++) {
    const address = index % 2 === 0 ? `192.0.2.${index}` : `2001:db8::${index.toString(16)}`;
    simulation.api.setOwners(
      address,
      [0, 1, 2].map((place) => names[(index + place) % names.length] ?? ""),
    );
  }
  simulation.runUntil(3_000);
  simulation.network.setSide(0, 1);
  simulation.network.setSide(1, 1);
  simulation.runUntil(5_000);
  simulation.network.heal();
  simulation.node(2).crash(true);
  simulation.runUntil(7_000);
  simulation.network.setCable(3, false, true);
  simulation.runUntil(9_000);
  simulation.network.heal();
  simulation.runUntil(20_000);
  assert.deepEqual([...kinds.keys()].filter((kind) => kind !== "conflict").sort(), [
    "answer",
    "claims",
    "heartbeat",
    "notices",
    "question",
  ]);
});
