import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatAddress, parseAddress } from "../../../../src/ip/address.ts";
import { rangeContains, subnetOf } from "../../../../src/ip/range.ts";
import { readSourceRanges } from "../../../../src/model/source-ranges.ts";

test("merged source ranges allow exactly what one of the given ones allows, and are disjoint", () => {
  const cidr = fc
    .tuple(fc.integer({ min: 0, max: 0xffff_ffff }), fc.integer({ min: 1, max: 32 }))
    .map(([value, length]) => `${formatAddress({ family: "IPv4", value: BigInt(value) })}/${length}`);
  fc.assert(
    fc.property(
      fc.array(cidr, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 0, max: 0xffff_ffff }),
      (texts, value) => {
        const { allowed } = readSourceRanges(texts);
        const probes = [value, ...texts.map((text) => Number(parseAddress(text.split("/")[0] ?? "")?.value ?? 0n))];
        for (const probe of probes) {
          const address = { family: "IPv4", value: BigInt(probe) } as const;
          const given = texts.some((text) => {
            const range = subnetOf(text);
            return range !== undefined && rangeContains(range, address);
          });
          const merged = allowed.IPv4?.some((range) => rangeContains(range, address)) ?? true;
          assert.equal(merged, given);
        }
        for (const [index, range] of (allowed.IPv4 ?? []).entries()) {
          const next = allowed.IPv4?.[index + 1];
          assert.ok(next === undefined || next.first > range.last + 1n);
        }
        assert.equal(allowed.IPv6, undefined);
      },
    ),
  );
});
