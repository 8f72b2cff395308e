import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AddressSet } from "../../../../speaker/responder/address-set.ts";
import { bytes } from "../../src/packet/round-trip.ts";

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
