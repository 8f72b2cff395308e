import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Address4, Address6 } from "ip-address";
import {
  addressBytes,
  addressFromBytes,
  formatAddress,
  type IpAddress,
  parseAddress,
} from "../../../../src/ip/address.ts";

/** Many groups of zeros, as real addresses have. */
const group = fc.oneof(fc.constant(0), fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
const ipv6 = fc
  .array(group, { minLength: 8, maxLength: 8 })
  .map((groups) => groups.reduce((value, part) => (value << 16n) | BigInt(part), 0n));

test("an IPv6 address is written as the library of addresses writes it", () => {
  fc.assert(
    fc.property(ipv6, (value) => {
      assert.equal(formatAddress({ family: "IPv6", value }), Address6.fromBigInt(value).correctForm());
    }),
    { numRuns: 1_000 },
  );
});

test("an IPv4 address is written as the library of addresses writes it", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 0xffff_ffffn }), (value) => {
      assert.equal(formatAddress({ family: "IPv4", value }), Address4.fromBigInt(value).correctForm());
    }),
  );
});

test("what is written is read as what it was, but for the IPv4-mapped form, which is refused", () => {
  fc.assert(
    fc.property(ipv6, (value) => {
      const address: IpAddress = { family: "IPv6", value };
      assert.deepEqual(parseAddress(formatAddress(address)), value >> 32n === 0xffffn ? undefined : address);
    }),
  );
});

test("an address is the same after the way through its bytes, and bytes after the way through an address", () => {
  for (const length of [4, 16]) {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: length, maxLength: length }), (bytes) => {
        const address = addressFromBytes(bytes);
        assert.equal(address.family, length === 4 ? "IPv4" : "IPv6");
        assert.deepEqual(addressBytes(address), bytes);
        assert.deepEqual(addressFromBytes(addressBytes(address)), address);
      }),
    );
  }
});

for (const text of [
  "::",
  "1::",
  "::1",
  "2001:db8::1:0:0:1",
  "2001:db8:0:1:1:1:1:1",
  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
]) {
  test(`${text} stays as it is`, () => {
    const address = parseAddress(text);
    assert.ok(address !== undefined);
    assert.equal(formatAddress(address), text);
  });
}

for (const text of [
  "",
  ":",
  ":::",
  "2001:db8::1::2",
  "::ffff:192.0.2.1",
  "2001:db8::g",
  "2001:db8::1/64",
  "fe80::1%eth0",
  "192.0.2",
  "01.2.3.4",
  "192.0.2.1.",
  "192.0.2.256",
  "192.0.2,1",
  "192/0.2.1",
  "192.0.2.1/24",
  "192.0.2.1 ",
  "192.0.2.a",
]) {
  test(`"${text}" is not an address`, () => assert.equal(parseAddress(text), undefined));
}
