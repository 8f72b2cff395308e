import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { UntakenPorts } from "../../../../speaker/host-checks/untaken-ports.ts";
import { parseAddress } from "../../../../src/ip/address.ts";

const address = parseAddress("192.0.2.200");
assert.ok(address);
const web = { address, protocol: "tcp", port: 80 } as const;

describe("ports that the service proxy does not take", () => {
  for (const [name, droppedAtS, nowS, lasting] of [
    ["dropped for longer than a service proxy may be late", [0, 20, 40, 60, 80, 100], 100, true],
    ["dropped by a client that comes back at longer intervals", [0, 60, 180], 180, true],
    ["dropped while the service proxy is late", [0, 20, 40, 60], 600, false],
    ["dropped twice, with a long pause between them", [0, 600], 600, false],
    ["not dropped any longer", [0, 60, 120], 320, false],
    ["still reported a while after the last drop", [0, 60, 120], 280, true],
    ["never dropped", [], 100, false],
  ] as const) {
    test(name, () => {
      const ports = new UntakenPorts();
      for (const second of droppedAtS) ports.observe([web], second * 1000);
      ports.observe([], nowS * 1000);
      assert.deepEqual(ports.lasting(nowS * 1000), lasting ? ["192.0.2.200 port 80/TCP"] : []);
    });
  }
});
