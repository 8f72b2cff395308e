import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { commandsBetween } from "../../../../speaker/responder/commands-between.ts";
import type { InterfaceState, ResponderState } from "../../../../speaker/responder/responder-state.ts";
import { address, mac } from "./frames.ts";

const someInterface = fc
  .record({
    index: fc.integer({ min: 1, max: 2 }),
    mac: fc.constantFrom("02:00:00:00:00:01", "02:00:00:00:00:02"),
    addresses: fc.subarray(["192.0.2.1", "192.0.2.2", "2001:db8::1"]),
  })
  .map(
    ({ index, mac: text, addresses }): Omit<InterfaceState, "name"> => ({
      index,
      mac: text,
      macBytes: mac(text),
      addresses: new Map(addresses.map((one) => [one, address(one)])),
    }),
  );
const states: fc.Arbitrary<ResponderState> = fc
  .dictionary(fc.constantFrom("eth0", "eth1"), someInterface)
  .map((interfaces) => new Map(Object.entries(interfaces).map(([name, one]) => [name, { name, ...one }])));

test("the commands between two states lead from one to the other, withdrawals first", () => {
  fc.assert(
    fc.property(states, states, (current, desired) => {
      const commands = commandsBetween(current, desired);
      const kinds = commands.map((command) => command.kind);
      const lastWithdrawal = Math.max(kinds.lastIndexOf("withdraw"), kinds.lastIndexOf("removeInterface"));
      const firstAnnouncement = kinds.findIndex((kind) => kind === "announce" || kind === "setInterface");
      assert.ok(firstAnnouncement < 0 || lastWithdrawal < firstAnnouncement);
      const announced = new Map(
        [...current].map(([name, one]) => [name, { mac: one.mac, set: new Set(one.addresses.keys()) }]),
      );
      for (const command of commands) {
        if (command.kind === "removeInterface") announced.delete(command.name);
        if (command.kind === "setInterface") {
          const text = Array.from(command.mac, (byte) => byte.toString(16).padStart(2, "0")).join(":");
          announced.set(command.name, { mac: text, set: announced.get(command.name)?.set ?? new Set() });
        }
        if (command.kind === "announce" || command.kind === "withdraw") {
          const set = announced.get(command.interfaceName)?.set;
          const text = ["192.0.2.1", "192.0.2.2", "2001:db8::1"].find(
            (one) => String(address(one)) === String(command.address),
          );
          assert.ok(set !== undefined && text !== undefined);
          if (command.kind === "announce") set.add(text);
          else set.delete(text);
        }
      }
      assert.deepEqual(
        announced,
        new Map([...desired].map(([name, one]) => [name, { mac: one.mac, set: new Set(one.addresses.keys()) }])),
      );
    }),
  );
});
