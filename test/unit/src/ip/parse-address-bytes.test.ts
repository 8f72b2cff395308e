import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { addressBytes, addressFromBytes, formatAddress, parseAddress } from "../../../../src/ip/address.ts";
import { parseAddressBytes } from "../../../../src/ip/parse-address-bytes.ts";

/** Both agree, or the text is not canonical and only the parser accepts it. */
function check(text: string): void {
  const address = parseAddress(text);
  const bytes = parseAddressBytes(text);
  const expected = address === undefined ? undefined : addressBytes(address);
  if (bytes !== undefined || (address !== undefined && formatAddress(address) === text)) {
    assert.deepEqual(bytes, expected);
  }
}

const texts = [
  [
    "192.0.2.1",
    "0.0.0.0",
    "255.255.255.255",
    "::",
    "::1",
    "1::",
    "2001:db8::1",
    "2001:db8:0:1:1:1:1:1",
    "fe80::1:0:0:1",
  ],
  [
    "",
    ".",
    "...",
    "192.0.2",
    "192.0.2.1.5",
    "192.0.2.256",
    "192.0.2.-1",
    "192.0.2.01",
    "192.0.2.1 ",
    "192.0.2.0x1",
    "192.0..1",
  ],
  [":", ":::", "1:2:3", "1::2::3", "1:", ":1", "2001:DB8::1", "2001:db8:0:0::1", "2001:0db8::1", "1:2:3:4:5:6:7:8:9"],
  [
    "::ffff:c000:201",
    "0:0:0:0:0:ffff:c000:201",
    "::ffff:0:c000:201",
    "ffff::1:2",
    "::ffff",
    "::ffff:1:2:3",
    "::ffff:192.0.2.1",
  ],
  [
    "1:2:3:4:5:6:7::8",
    "1:2:3:4:5:6:7::",
    "2001:db8::1%eth0",
    "2001:db8::12345",
    "2001:db8::g",
    "fe80::/10",
    "-1::",
    "1:::2",
  ],
];
for (const text of texts.flat()) test(`'${text}' has the bytes that the parser finds`, () => check(text));

describe("the bytes of a text", () => {
  test("are those that it was made from", () => {
    const bytes = fc.array(fc.constantFrom(0, 0, 0, 1, 0xff, 0x20), { minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(bytes, fc.constantFrom(4, 16), (all, length) => {
        check(formatAddress(addressFromBytes(Uint8Array.from(all.slice(0, length)))));
      }),
      { numRuns: 2_000 },
    );
  });

  test("exist only for a text that the parser accepts", () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."01f:::..%g/ A"), maxLength: 24 }), check), {
      numRuns: 5_000,
    });
  });
});
