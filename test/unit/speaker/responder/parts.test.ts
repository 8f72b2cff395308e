import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AddressSet } from "../../../../speaker/responder/address-set.ts";
import {
  commandsBetween,
  type InterfaceState,
  type ResponderState,
} from "../../../../speaker/responder/commands-between.ts";
import { Counters } from "../../../../speaker/responder/counters.ts";
import { Schedule } from "../../../../speaker/responder/schedule.ts";
import { structSizes } from "../../../../src/packet-socket/libc.ts";
import { arpFilter, type FilterInstruction, ndpFilter } from "../../../../src/packet-socket/packet-filter.ts";
import { bytes } from "../../src/packet/round-trip.ts";
import { address, arpRequest, mac, ndpFrame, solicitation } from "./frames.ts";

for (const [name, size] of Object.entries({
  sockaddr_ll: 20,
  packet_mreq: 16,
  sock_filter: 8,
  sock_fprog: 16,
  pollfd: 8,
} satisfies typeof structSizes)) {
  test(`struct ${name} has the size that the kernel gives it on 64-bit platforms`, () => {
    assert.equal(structSizes[name as keyof typeof structSizes], size);
  });
}

test("a schedule gives things out in the order of their times, and none before", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 1000 })), fc.nat({ max: 1000 }), (times, now) => {
      const schedule = new Schedule<number>();
      for (const time of times) schedule.add(time, time);
      const taken: number[] = [];
      for (let item = schedule.takeDue(now); item !== undefined; item = schedule.takeDue(now)) taken.push(item);
      assert.deepEqual(
        taken,
        times.filter((time) => time <= now).sort((left, right) => left - right),
      );
      assert.equal(schedule.size, times.length - taken.length);
    }),
  );
});

test("a set of addresses behaves as a set", () => {
  const anyAddress = fc.oneof(bytes(4), bytes(16));
  fc.assert(
    fc.property(fc.uniqueArray(anyAddress, { selector: String }), anyAddress, (members, stranger) => {
      const set = new AddressSet();
      for (const member of members) set.add(member);
      assert.equal([...set].length, members.length);
      assert.ok(members.every((member) => set.has(Uint8Array.from(member))));
      assert.equal(set.has(stranger), members.map(String).includes(String(stranger)));
      for (const member of members) assert.ok(set.delete(member));
      assert.deepEqual([...set], []);
    }),
  );
});

test("counters are shared through their memory", () => {
  const counters = new Counters();
  new Counters(counters.shared).add("arpReplies");
  assert.equal(counters.read("arpReplies"), 1);
  assert.equal(counters.read("arpRequests"), 0);
});

/** Classic BPF in words, for the opcodes that the filters use. */
function runFilter(program: readonly FilterInstruction[], frame: Uint8Array, packetType: number): number {
  let accumulator = 0;
  for (let counter = 0; ; counter++) {
    const instruction = program[counter];
    assert.ok(instruction !== undefined, "the filter ran over its end");
    if (instruction.code === 0x06) return instruction.k;
    if (instruction.code === 0x20) accumulator = packetType;
    else if (instruction.code === 0x30) {
      const byte = frame[instruction.k];
      if (byte === undefined) return 0;
      accumulator = byte;
    } else counter += accumulator === instruction.k ? instruction.jt : instruction.jf;
  }
}

const advertisement = ndpFrame({
  kind: "advertisement",
  target: address("2001:db8::1"),
  linkAddress: undefined,
  router: false,
  solicited: false,
  override: true,
});
const echo = Uint8Array.from(advertisement);
echo[54] = 128;
const tcp = Uint8Array.from(advertisement);
tcp[20] = 6;
for (const [name, program, frame, accepted] of [
  ["ARP", arpFilter, arpRequest("192.0.2.1"), true],
  ["a solicitation", ndpFilter, ndpFrame(solicitation("2001:db8::1")), true],
  ["an advertisement", ndpFilter, advertisement, true],
  ["an echo request", ndpFilter, echo, false],
  ["TCP", ndpFilter, tcp, false],
  ["a stump", ndpFilter, advertisement.subarray(0, 30), false],
] as const) {
  test(`the socket filter ${accepted ? "passes" : "drops"} ${name}, and drops it when it is for another station`, () => {
    assert.equal(runFilter(program, frame, 1) > 0, accepted);
    assert.equal(runFilter(program, frame, 3), 0);
  });
}

const station = fc
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
  .dictionary(fc.constantFrom("eth0", "eth1"), station)
  .map((stations) => new Map(Object.entries(stations).map(([name, one]) => [name, { name, ...one }])));

test("the commands between two states lead from one to the other, releases first", () => {
  fc.assert(
    fc.property(states, states, (current, desired) => {
      const commands = commandsBetween(current, desired);
      const kinds = commands.map((command) => command.kind);
      const lastRelease = Math.max(kinds.lastIndexOf("withdraw"), kinds.lastIndexOf("interfaceGone"));
      const firstClaim = kinds.findIndex((kind) => kind === "announce" || kind === "interface");
      assert.ok(firstClaim < 0 || lastRelease < firstClaim);
      const announced = new Map(
        [...current].map(([name, one]) => [name, { mac: one.mac, set: new Set(one.addresses.keys()) }]),
      );
      for (const command of commands) {
        if (command.kind === "interfaceGone") announced.delete(command.name);
        if (command.kind === "interface") {
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
