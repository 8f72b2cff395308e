import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AnnouncedAddresses } from "../../../../speaker/responder/announced-addresses.ts";
import { Counters } from "../../../../speaker/responder/counters.ts";
import { burstMs, repeatMs } from "../../../../speaker/responder/gratuitous.ts";
import { maxRepeatsPerSecond } from "../../../../speaker/responder/repeat-queue.ts";
import { FakePacketSockets } from "../../../../src/packet-socket/fake-packet-sockets.ts";
import { ourMac } from "./frames.ts";

/** Announced addresses of one interface, and a clock that `turn` advances. */
function makeAddresses(random: () => number) {
  const clock = { nowMs: 0 };
  const packetSockets = new FakePacketSockets("eth0");
  const announced = new AnnouncedAddresses({
    packetSockets,
    now: () => clock.nowMs,
    random,
    counters: new Counters(),
    failed: (_, error) => assert.fail(String(error)),
  });
  announced.setInterface({ name: "eth0", index: 2, mac: ourMac });
  /** The frames that were sent since the last call. */
  const takeSent = () => packetSockets.sockets.flatMap((socket) => socket.sent.splice(0));
  /** Sleeps until something is due, `lateMs` longer than that, and sends it. */
  const turn = (lateMs: number) => {
    clock.nowMs = Math.max(clock.nowMs, announced.nextDueMs) + lateMs;
    announced.sendDue(false);
    return takeSent();
  };
  return { clock, announced, turn };
}

function bytesOf(index: number, family: "IPv4" | "IPv6"): Uint8Array {
  const [high, low] = [index >> 8, index & 0xff];
  return family === "IPv4"
    ? Uint8Array.of(10, 0, high, low)
    : Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, low);
}

function announce(announced: AnnouncedAddresses, index: number, family: "IPv4" | "IPv6"): void {
  announced.announce({ address: `${family} ${index}`, bytes: bytesOf(index, family), interfaces: ["eth0"] });
}

/** The most frames in any second. */
function mostInOneSecond(times: readonly number[]): number {
  let most = 0;
  for (let from = 0, to = 0; to < times.length; to++) {
    while ((times[to] ?? 0) - (times[from] ?? 0) >= 1000) from++;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

/** How much longer than planned the thread sleeps at most in these tests. */
const latestMs = 30;

const lastBurstMs = burstMs.at(-1) ?? 0;

test("however many addresses a node announces, it repeats them by at most 50 frames in any second", () => {
  const group = fc.record({
    count: fc.integer({ min: 1, max: 4000 }),
    family: fc.constantFrom("IPv4" as const, "IPv6" as const),
  });
  fc.assert(
    fc.property(
      fc.array(group, { minLength: 1, maxLength: 3 }),
      fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 20 }),
      fc.array(fc.integer({ min: 0, max: latestMs }), { minLength: 1, maxLength: 20 }),
      (groups, randoms, lates) => {
        let drawn = 0;
        const { clock, announced, turn } = makeAddresses(() => randoms[drawn++ % randoms.length] ?? 0);
        const total = groups.reduce((sum, { count }) => sum + count, 0);
        let index = 0;
        for (const { count, family } of groups)
          for (let left = count; left > 0; left--) announce(announced, index++, family);
        const times: number[] = [];
        for (let turns = 0; clock.nowMs < 3 * repeatMs + total * (1000 / maxRepeatsPerSecond + latestMs); turns++) {
          const { length } = turn(lates[turns % lates.length] ?? 0);
          // The burst of the takeover is not limited.
          if (clock.nowMs > lastBurstMs + 1000) for (let left = length; left > 0; left--) times.push(clock.nowMs);
        }
        assert.ok(times.length > total, "every address is repeated");
        assert.ok(mostInOneSecond(times) <= 50, String(mostInOneSecond(times)));
      },
    ),
    { numRuns: 15 },
  );
});

test("10,000 addresses are repeated one after the other, each within seven minutes", () => {
  const { clock, announced, turn } = makeAddresses(() => 0.5);
  const count = 10_000;
  for (let index = 0; index < count; index++) announce(announced, index, "IPv4");
  for (; clock.nowMs <= lastBurstMs; ) turn(0);
  const seen = new Map<string, number>();
  const endMs = repeatMs + lastBurstMs + (count / maxRepeatsPerSecond) * 1000 + 1;
  while (announced.nextDueMs < endMs)
    for (const frame of turn(0)) {
      const target = frame.subarray(38, 42).join(".");
      seen.set(target, (seen.get(target) ?? 0) + 1);
    }
  assert.equal(seen.size, count);
  assert.deepEqual([...new Set(seen.values())], [2]);
});

test("a takeover is announced at once and in full, while 10,000 other addresses wait for their repeat", () => {
  const { clock, announced, turn } = makeAddresses(() => 0.5);
  for (let index = 1; index <= 10_000; index++) announce(announced, index, "IPv4");
  while (clock.nowMs < repeatMs + 10_000) turn(0);
  const startMs = clock.nowMs;
  announce(announced, 0, "IPv4");
  const times: number[] = [];
  while (clock.nowMs <= startMs + lastBurstMs)
    for (const frame of turn(0)) if (frame.subarray(38, 42).join(".") === "10.0.0.0") times.push(clock.nowMs - startMs);
  assert.deepEqual([...new Set(times)], burstMs);
});

test("an address that is withdrawn while it waits for its repeat takes no other one's turn", () => {
  const { clock, announced, turn } = makeAddresses(() => 0.5);
  for (let index = 0; index < 1000; index++) announce(announced, index, "IPv4");
  while (clock.nowMs < lastBurstMs + repeatMs + 1) turn(0);
  for (let index = 0; index < 999; index++) announced.withdraw(`IPv4 ${index}`);
  const withdrawnMs = clock.nowMs;
  assert.equal(turn(0).length, 2);
  assert.ok(clock.nowMs <= withdrawnMs + 1000 / maxRepeatsPerSecond, String(clock.nowMs - withdrawnMs));
});
