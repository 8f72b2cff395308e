import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProgramsAnswer } from "../../../../speaker/membership/inputs.ts";
import { KubeletProbes } from "../../../../speaker/peers/kubelet-probes.ts";
import type { ResponderCommand } from "../../../../speaker/responder/commands.ts";
import { FakeClock } from "../../../../src/clock/fake.ts";
import { parseAddress } from "../../../../src/ip/address.ts";

test("the kubelet of a peer is asked at the first address of its speaker, and one without an address is not", async () => {
  const addresses = ["192.0.2.12", "2001:db8::12"].flatMap((text) => parseAddress(text) ?? []);
  const peers = [
    { node: "n2", addresses, port: 7482, macs: [], kubeletPort: 10_251 },
    { node: "n3", addresses: [], port: 7482, macs: [], kubeletPort: 10_250 },
  ];
  const asked: string[] = [];
  const commands: ResponderCommand[] = [];
  const probes = new KubeletProbes({
    heartbeats: { peers },
    responder: { send: (command) => commands.push(command) },
    probe: async (host, port) => {
      asked.push(`${host} ${port}`);
      return "silent";
    },
    clock: new FakeClock(),
  });
  for (const node of ["n2", "n3", "n4"]) probes.ask(node, 1234.5);
  await new Promise(setImmediate);
  assert.deepEqual(asked, ["192.0.2.12 10251"]);
  assert.deepEqual(commands, [{ kind: "programsAnswered", node: "n2", askedMs: 1234.5, answer: "silent" }]);
});

test("no more than 100 connections are open at once, and each is answered for", async () => {
  const names = Array.from({ length: 101 }, (_, index) => `n${index}`);
  const addresses = [parseAddress("192.0.2.12")].flatMap((address) => address ?? []);
  const peers = names.map((node) => ({ node, addresses, port: 7482, macs: [], kubeletPort: 10_250 }));
  const open: ((answer: ProgramsAnswer) => void)[] = [];
  const told: string[] = [];
  const probes = new KubeletProbes({
    heartbeats: { peers },
    responder: {
      send: (command) => command.kind === "programsAnswered" && told.push(`${command.node} ${command.answer}`),
    },
    probe: () => new Promise((resolve) => open.push(resolve)),
    clock: new FakeClock(),
  });
  for (const node of names) probes.ask(node, 1000);
  assert.equal(open.length, 100);
  assert.deepEqual(told, ["n100 unknown"]);
  open[0]?.("answered");
  await new Promise(setImmediate);
  probes.ask("n100", 2000);
  assert.equal(open.length, 101);
  assert.deepEqual(told, ["n100 unknown", "n0 answered"]);
});
