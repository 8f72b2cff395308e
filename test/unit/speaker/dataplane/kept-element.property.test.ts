import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Element, nftElement, nftKey } from "../../../../speaker/dataplane/element.ts";
import { elementId, idKindOf } from "../../../../speaker/dataplane/element-id.ts";
import { ElementIndex } from "../../../../speaker/dataplane/element-index.ts";
import {
  elementOf,
  keepElement,
  keptNftElement,
  keptNftKey,
  sameKept,
} from "../../../../speaker/dataplane/kept-element.ts";
import type { IpAddress } from "../../../../src/ip/address.ts";

const ipv4: fc.Arbitrary<IpAddress> = fc
  .bigInt({ min: 0n, max: 2n ** 32n - 1n })
  .map((value) => ({ family: "IPv4", value }));
const ipv6: fc.Arbitrary<IpAddress> = fc
  .bigInt({ min: 0n, max: 2n ** 128n - 1n })
  .map((value) => ({ family: "IPv6", value }));
const port = fc.integer({ min: 0, max: 0xffff });

function elements(family: "ip" | "ip6", address: fc.Arbitrary<IpAddress>): fc.Arbitrary<Element> {
  const protocol = fc.constantFrom("tcp", "udp", "sctp");
  const endpoint = fc.record({ address, port });
  const key = fc.record({ address, port, index: fc.integer({ min: 0, max: 0xffff_ffff }) });
  return fc.oneof(
    fc.record({
      family: fc.constant(family),
      set: fc.constantFrom("tcp_endpoints", "udp_endpoints"),
      key,
      value: endpoint,
    }),
    fc.record({
      family: fc.constant(family),
      set: fc.constant("remote_endpoints"),
      key: fc.record({ address, protocol, endpoint }),
    }),
    fc.record({ family: fc.constant(family), set: fc.constant("service_addresses"), key: fc.record({ address }) }),
    fc.record({
      family: fc.constant(family),
      set: fc.constant("dnat_services"),
      key: fc.record({ address, protocol, port }),
      value: fc.record({ by: fc.constantFrom("flow", "client"), count: fc.nat(9), seed: fc.nat(9) }),
    }),
  );
}

// Records of fast-check have no prototype.
const element = fc.oneof(elements("ip", ipv4), elements("ip6", ipv6)).map((one) => structuredClone(one));

test("an element that is kept is the same when it is made again, and in the kernel's bytes", () => {
  fc.assert(
    fc.property(element, (one) => {
      const [id, kept] = [elementId(one), keepElement(one)];
      assert.deepEqual(elementOf(id, kept), one);
      assert.deepEqual(keptNftElement(id, kept), nftElement(one));
      assert.deepEqual(keptNftKey(id, kept), nftKey(one));
      assert.deepEqual(idKindOf(id), { family: one.family, set: one.set });
    }),
  );
});

test("two kept elements are the same if their values are", () => {
  fc.assert(
    fc.property(element, element, (left, right) => {
      const same = JSON.stringify(nftElement(left).data) === JSON.stringify(nftElement(right).data);
      if (left.set === right.set) assert.equal(sameKept(keepElement(left), keepElement(right)), same);
      assert.ok(sameKept(keepElement(left), keepElement({ ...left })));
    }),
  );
});

test("the index gives each owner's elements once, and those that count, however often they are set", () => {
  const few = fc.array(
    fc.record({
      owner: fc.constantFrom("default/a", "default/b"),
      elements: fc.array(
        fc
          .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 3 }), fc.boolean())
          .map(([index, number, remote]): Element => {
            const address: IpAddress = { family: "IPv4", value: 1n };
            const endpoint = { address: { family: "IPv4" as const, value: BigInt(number) }, port: 80 };
            return remote
              ? { family: "ip", set: "remote_endpoints", key: { address, protocol: "tcp", endpoint } }
              : { family: "ip", set: "tcp_endpoints", key: { address, port: 80, index }, value: endpoint };
          }),
        { maxLength: 6 },
      ),
    }),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(few, fc.nat(8), (steps, settled) => {
      const index = new ElementIndex();
      // By owner and id, the last one counts.
      const model = new Map<string, ReadonlyMap<string, Element>>();
      const winners = (): ReadonlyMap<string, Element> =>
        new Map([...model].sort(([left], [right]) => (left < right ? 1 : -1)).flatMap(([, own]) => [...own]));
      let atSettle = winners();
      for (const [number, step] of steps.entries()) {
        if (number === settled) {
          index.settle();
          atSettle = winners();
        }
        index.set(step.owner, step.elements);
        model.set(step.owner, new Map(step.elements.map((one) => [elementId(one), one])));
      }
      for (const [owner, own] of model) {
        const found = index.elementsOf(owner);
        assert.equal(found.length, own.size);
        assert.deepEqual(new Map(found.map((one) => [elementId(one), one])), own);
        assert.equal(index.has(owner), own.size > 0);
      }
      const now = winners();
      const all = new Map<string, Element>();
      index.forEach((id, kept) => {
        all.set(id, elementOf(id, kept));
      });
      assert.deepEqual(all, new Map(now));
      if (settled >= steps.length) return;
      for (const id of new Set([...atSettle.keys(), ...now.keys()])) {
        const before = index.changed.has(id) ? index.changed.get(id) : index.kept(id);
        assert.deepEqual(before === undefined ? undefined : elementOf(id, before), atSettle.get(id));
        assert.equal(index.wasSettled(id), atSettle.has(id));
      }
    }),
    { numRuns: 500 },
  );
});
