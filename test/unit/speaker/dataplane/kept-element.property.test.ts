import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Element,
  type EndpointAddress,
  type EndpointElement,
  nftElement,
} from "../../../../speaker/dataplane/element.ts";
import { elementId, idKindOf } from "../../../../speaker/dataplane/element-id.ts";
import { ElementIndex } from "../../../../speaker/dataplane/element-index.ts";
import { hasEndpoints } from "../../../../speaker/dataplane/endpoint-block.ts";
import {
  elementOf,
  hasKeyAmong,
  type KeptElement,
  keepElements,
  keptDifference,
  keptNftElements,
  keptNftKeys,
  keptSize,
  sameKept,
} from "../../../../speaker/dataplane/kept-element.ts";
import { type IpAddress, parseAddress } from "../../../../src/ip/address.ts";
import { addressData, concatenate, type Data, numberData, portData, protocolData } from "../../../../src/nft/data.ts";
import type { NftElement } from "../../../../src/nft/set.ts";

const ipv4: fc.Arbitrary<IpAddress> = fc
  .bigInt({ min: 0n, max: 2n ** 32n - 1n })
  .map((value) => ({ family: "IPv4", value }));
const ipv6: fc.Arbitrary<IpAddress> = fc
  .bigInt({ min: 0n, max: 2n ** 128n - 1n })
  .map((value) => ({ family: "IPv6", value }));
const port = fc.integer({ min: 0, max: 0xffff });

function elements(family: "ip" | "ip6", address: fc.Arbitrary<IpAddress>): fc.Arbitrary<Element> {
  const protocol = fc.constantFrom("tcp", "udp", "sctp");
  const value = fc.uniqueArray(fc.record({ address, port }), {
    minLength: 1,
    maxLength: 4,
    selector: ({ address: { value }, port: number }) => `${value} ${number}`,
  });
  const key = fc.record({ address, port });
  return fc.oneof(
    fc.record({ family: fc.constant(family), set: fc.constant("tcp_endpoints"), key, value }),
    fc.record({ family: fc.constant(family), set: fc.constant("udp_endpoints"), key, value }),
    fc.record({
      family: fc.constant(family),
      set: fc.constant("remote_endpoints"),
      key: fc.record({ address, protocol }),
      value,
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

/** The kernel's elements, put together from the parts of their declaration one by one. */
function expectedElements(one: Element): readonly NftElement[] {
  if (!hasEndpoints(one)) return [nftElement(one)];
  return one.value.map(({ address, port: number }, index) => {
    const endpoint = [addressData(address), portData(number)];
    const service = addressData(one.key.address);
    if (one.set === "remote_endpoints")
      return { key: concatenate([service, protocolData(one.key.protocol), ...endpoint]) };
    const key = concatenate([service, portData(one.key.port), numberData("integer", index)]);
    return { key, data: concatenate(endpoint) };
  });
}

/** What is kept of one element. */
function keep(one: Element): { readonly id: string; readonly kept: KeptElement } {
  const [entry] = keepElements([one]);
  assert.ok(entry !== undefined);
  return { id: entry[0], kept: entry[1] };
}

test("an element that is kept is the same when it is made again, and in the kernel's bytes", () => {
  fc.assert(
    fc.property(element, (one) => {
      const { id, kept } = keep(one);
      const expected = expectedElements(one);
      assert.equal(id, elementId(one));
      assert.deepEqual(elementOf(id, kept), one);
      assert.deepEqual([...keptNftElements([{ id, kept }])], expected);
      const keys = expected.map(({ key }) => key);
      assert.deepEqual(
        keptNftKeys({ id, kept }),
        keys.map((key) => ({ key })),
      );
      assert.equal(keptSize({ id, kept }), expected.length);
      assert.ok(hasKeyAmong({ id, kept }, new Set(keys.slice(-1))));
      assert.ok(!hasKeyAmong({ id, kept }, new Set(["other"])));
      assert.deepEqual([idKindOf(id).family, idKindOf(id).set], [one.family, one.set]);
    }),
  );
});

test("bytes of the highest numbers are those of the kernel", () => {
  const address = parseAddress("255.254.253.252");
  const pod = parseAddress("2001:db8:ffff::ffff");
  assert.ok(address !== undefined && pod !== undefined);
  const value = Array.from({ length: 300 }, (_, index) => ({ address, port: 65_535 - index }));
  const ones: readonly Element[] = [
    { family: "ip", set: "udp_endpoints", key: { address, port: 65_535 }, value },
    { family: "ip", set: "remote_endpoints", key: { address, protocol: "sctp" }, value },
    { family: "ip6", set: "tcp_endpoints", key: { address: pod, port: 443 }, value: [{ address: pod, port: 8443 }] },
  ];
  for (const one of ones) {
    assert.deepEqual([...keptNftElements([keep(one)])], expectedElements(one));
    assert.deepEqual(elementOf(keep(one).id, keep(one).kept), one);
  }
});

test("nothing is kept of endpoints of which there are none", () => {
  const address: IpAddress = { family: "IPv4", value: 1n };
  const none: Element = { family: "ip", set: "remote_endpoints", key: { address, protocol: "tcp" }, value: [] };
  assert.equal(keepElements([none]).size, 0);
});

test("two kept elements are the same if their values are", () => {
  fc.assert(
    fc.property(element, element, (left, right) => {
      const comparable = (one: Element) =>
        JSON.stringify(hasEndpoints(one) ? expectedElements(one) : nftElement(one).data);
      const same = comparable(left) === comparable(right);
      if (left.set === right.set) assert.equal(sameKept(keep(left).kept, keep(right).kept), same);
      assert.ok(sameKept(keep(left).kept, keep({ ...left }).kept));
    }),
  );
});

/** Endpoints of one port, and of one address and protocol, that several Services may have. */
const few: fc.Arbitrary<EndpointElement> = fc
  .tuple(fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { minLength: 1 }), fc.boolean())
  .map(([numbers, remote]): EndpointElement => {
    const address: IpAddress = { family: "IPv4", value: 1n };
    const value = numbers.map(
      (number): EndpointAddress => ({ address: { ...address, value: BigInt(number) }, port: 80 }),
    );
    return remote
      ? { family: "ip", set: "remote_endpoints", key: { address, protocol: "tcp" }, value }
      : { family: "ip", set: "tcp_endpoints", key: { address, port: 80 }, value };
  });

/** The kernel's elements by key; of those with the same key the first one counts. */
function byKey(ones: Iterable<Element>): ReadonlyMap<Data, NftElement["data"]> {
  return new Map(
    [...ones]
      .flatMap(expectedElements)
      .map(({ key, data }) => [key, data] as const)
      .reverse(),
  );
}

test("the difference of endpoints is what has to be added, or removed", () => {
  fc.assert(
    fc.property(few, few, (before, after) => {
      if (before.set !== after.set) return;
      const { id } = keep(before);
      const present = new Map(byKey([before]));
      const listed = (from: Element, to: Element): readonly NftElement[] => {
        const kept = keptDifference(id, keep(from).kept, keep(to).kept);
        return kept === undefined ? [] : [...keptNftElements([{ id, kept }])];
      };
      const now = byKey([after]);
      for (const { key, data } of listed(before, after)) {
        assert.ok(present.has(key) && present.get(key) === data);
        assert.ok(!now.has(key) || now.get(key) !== data);
        present.delete(key);
      }
      for (const { key, data } of listed(after, before)) {
        assert.ok(!present.has(key));
        present.set(key, data);
      }
      assert.deepEqual(present, byKey([after]));
    }),
  );
});

test("the index gives each owner's elements once, and those that count, however often they are set", () => {
  const steps = fc.array(
    fc.record({
      owner: fc.constantFrom("default/a", "default/b", "default/c"),
      elements: fc.array(few, { maxLength: 4 }),
    }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(steps, fc.nat(12), (all, settled) => {
      const index = new ElementIndex();
      const model = new Map<string, readonly Element[]>();
      // Of the same key, the element of the owner with the smaller name counts.
      const winners = (): ReadonlyMap<Data, NftElement["data"]> =>
        byKey([...model].sort(([left], [right]) => (left < right ? -1 : 1)).flatMap(([, own]) => own));
      const listed = (elements: Iterable<Element>) => [...elements].flatMap(expectedElements);
      const idsOf = () => new Set([...model.values()].flat().map(elementId));
      let [atSettle, settledIds] = [winners(), idsOf()];
      for (const [number, step] of all.entries()) {
        if (number === settled) {
          index.settle();
          [atSettle, settledIds] = [winners(), idsOf()];
        }
        index.set(step.owner, step.elements);
        model.set(step.owner, step.elements);
      }
      for (const [owner, own] of model) {
        const found = index.elementsOf(owner);
        assert.equal(listed(found).length, byKey(own).size);
        assert.deepEqual(byKey(found), byKey(own));
        assert.equal(index.has(owner), own.length > 0);
        for (const one of own) assert.ok([...index.ownersOf(elementId(one))].includes(owner));
      }
      const now = [...index.all()];
      assert.deepEqual(byKey(now.map(({ id, kept }) => elementOf(id, kept))), winners());
      assert.equal(
        now.reduce((sum, one) => sum + keptSize(one), 0),
        winners().size,
      );
      if (settled >= all.length) return;
      // What was there, with all changes, is what is there.
      const present = new Map(atSettle);
      for (const { id, gone, come } of index.changes()) {
        for (const { key, data } of gone === undefined ? [] : keptNftElements([{ id, kept: gone }])) {
          assert.ok(present.has(key) && present.get(key) === data);
          present.delete(key);
        }
        for (const { key, data } of come === undefined ? [] : keptNftElements([{ id, kept: come }])) {
          assert.ok(!present.has(key));
          present.set(key, data);
        }
      }
      assert.deepEqual(present, winners());
      for (const id of new Set([...settledIds, ...idsOf()])) assert.equal(index.wasSettled(id), settledIds.has(id));
    }),
    { numRuns: 1_000 },
  );
});
