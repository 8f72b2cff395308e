import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { HeartbeatSetup } from "../../../../speaker/peers/heartbeat-setup.ts";
import type { ResponderCommand } from "../../../../speaker/responder/commands.ts";
import { type Logger, silentLogger } from "../../../../src/log/log.ts";
import { address } from "../responder/frames.ts";
import { link } from "../speaker-fixture.ts";

test("witnesses are asked as the gateways of the node are, and one that is on no LAN of the node is reported", async () => {
  const sent: ResponderCommand[] = [];
  const warned: unknown[] = [];
  const setup = new HeartbeatSetup({
    node: "n1",
    responder: { send: (command) => void sent.push(command) },
    watch: () => {},
    identities: { views: new Map() },
    witnesses: ["192.0.2.9", "2001:db8::9", "203.0.113.1"],
    host: { links: [link("eth0", "192.0.2.11/24"), link("eth1", "2001:db8::11/64")], gateways: ["192.0.2.1"] },
    lanInterfaces: () => [],
    keys: () => [],
    health: { current: { rulesFailing: [], rulesWritten: true, answering: true, readyFamilies: [] } },
    onChange: () => {},
    log: { ...silentLogger, warn: (details: unknown) => void warned.push(details) } as Logger,
  });
  setup.peersChanged();
  await turn();
  setup.peersChanged();
  await turn();
  assert.deepEqual(warned, [{ witnesses: ["203.0.113.1"] }], "once");
  const [command] = sent;
  assert.ok(command?.kind === "setPeers");
  assert.deepEqual(
    command.probes.gateways.map(({ interfaceName, target }) => [interfaceName, target]),
    [
      ["eth0", address("192.0.2.1")],
      ["eth0", address("192.0.2.9")],
      ["eth1", address("2001:db8::9")],
    ],
  );
});
