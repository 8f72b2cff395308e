import assert from "node:assert/strict";
import { test } from "node:test";
import type { FilterInstruction } from "../../../../src/libc/filter-instruction.ts";
import { arpFilter, ndpFilter } from "../../../../src/packet-socket/packet-filter.ts";
import { address, arpRequest, ndpFrame, solicitation } from "../../speaker/responder/frames.ts";

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
  test(`the socket filter ${accepted ? "passes" : "drops"} ${name}, and drops it when it is for another host`, () => {
    assert.equal(runFilter(program, frame, 1) > 0, accepted);
    assert.equal(runFilter(program, frame, 3), 0);
  });
}
