import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AddressAllocations } from "../../../../../controller/allocate/allocations/address-allocations.ts";
import type { Claim } from "../../../../../controller/allocate/claim/claim.ts";
import type { Pool } from "../../../../../controller/allocate/pool/pool.ts";
import { choosePools } from "../../../../../controller/allocate/pool/pool-set.ts";
import { ipAddressPoolSchema } from "../../../../../src/api/ip-address-pool.ts";
import { formatAddress, type IpAddress, parseAddress, virtualIpName } from "../../../../../src/ip/address.ts";

function poolsOf(addresses: readonly string[], avoidBuggyIPs: boolean) {
  return choosePools([ipAddressPoolSchema.parse({ metadata: { name: "lan" }, spec: { addresses, avoidBuggyIPs } })]);
}

function addressOf(offset: number): IpAddress {
  return { family: "IPv4", value: 0xc0000200n + BigInt(offset) };
}

function claimOf(offset: number, services: readonly string[]): Claim {
  const address = addressOf(offset);
  const name = virtualIpName(address);
  const references = services.map((service) => ({ namespace: "default", name: service, uid: service }));
  return { name, address, pool: "lan", services: references, managed: true, uid: "u", resourceVersion: "1" };
}

const step = fc.record({
  // Around a border between .255 and .0.
  offset: fc.integer({ min: 248, max: 268 }),
  kind: fc.constantFrom("claim", "reserve", "drop", "block", "unblock", "show", "hide", "again"),
  service: fc.constantFrom("a", "b", "c"),
});

test("the first free address and the counts are those of a naive model after any sequence of changes", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), fc.boolean(), (steps, avoidBuggyIPs) => {
      const allocations = new AddressAllocations();
      // 192.0.2.250-192.0.3.10, with a gap.
      const pools = poolsOf(["192.0.2.250-192.0.2.255", "192.0.3.0-192.0.3.5", "192.0.3.8-192.0.3.10"], avoidBuggyIPs);
      allocations.setPools(pools);
      const inPool = (offset: number): boolean => (offset >= 250 && offset <= 261) || (offset >= 264 && offset <= 266);
      const claims = new Map<number, boolean>();
      const blocks = new Set<number>();
      // What each Service shows: at most one address at a time.
      const shown = new Map<string, number>();
      for (const { offset, kind, service } of steps) {
        if (kind === "claim" || kind === "reserve") {
          allocations.put(claimOf(offset, kind === "claim" ? [service] : []));
          claims.set(offset, kind === "claim");
        } else if (kind === "drop") {
          allocations.drop(virtualIpName(addressOf(offset)));
          claims.delete(offset);
        } else if (kind === "again") allocations.setPools(pools);
        else if (kind === "show" || kind === "hide") {
          allocations.show(service, { addresses: kind === "show" ? [addressOf(offset)] : [], deleting: false });
          if (kind === "show") shown.set(service, offset);
          else shown.delete(service);
        } else {
          allocations.block(`Node ${offset}`, kind === "block" ? [addressOf(offset)] : []);
          if (kind === "block") blocks.add(offset);
          else blocks.delete(offset);
        }
      }
      const offsets = Array.from({ length: 30 }, (_, index) => 240 + index).filter(inPool);
      const buggy = (offset: number): boolean => avoidBuggyIPs && (offset === 255 || offset === 256);
      const used = new Set([...claims.keys(), ...blocks, ...shown.values()]);
      const free = offsets.filter((offset) => !used.has(offset) && !buggy(offset));
      const first = allocations.firstFree(pools.usable[0] as Pool, "IPv4");
      assert.equal(first?.value, free[0] === undefined ? undefined : addressOf(free[0]).value);
      assert.deepEqual(allocations.countOf("lan", "IPv4"), {
        assigned: BigInt(offsets.filter((offset) => claims.get(offset) === true).length),
        available: BigInt(free.length),
      });
    }),
  );
});

test("a pool of a whole /64 costs no more than its gaps", () => {
  const allocations = new AddressAllocations();
  const pools = poolsOf(["2001:db8::/64"], false);
  allocations.setPools(pools);
  const pool = pools.usable[0] as Pool;
  for (let index = 0; index < 1_000; index++) {
    const address = allocations.firstFree(pool, "IPv6");
    assert.ok(address !== undefined);
    const name = virtualIpName(address);
    allocations.put({
      name,
      address,
      pool: "lan",
      services: [{ namespace: "d", name }],
      managed: true,
      uid: "u",
      resourceVersion: "",
    });
  }
  assert.equal(formatAddress(allocations.firstFree(pool, "IPv6") as IpAddress), "2001:db8::3e8");
  allocations.drop(virtualIpName(parseAddress("2001:db8::7") as IpAddress));
  assert.equal(formatAddress(allocations.firstFree(pool, "IPv6") as IpAddress), "2001:db8::7");
  assert.equal(allocations.countOf("lan", "IPv6")?.available, 2n ** 64n - 999n);
});

test("an address is reported as free when it is released, and not when its claim is only confirmed", () => {
  let freed = 0;
  const allocations = new AddressAllocations();
  const countFreed = (): number => {
    if (allocations.takeChanges().freed) freed++;
    return freed;
  };
  allocations.setPools(poolsOf(["192.0.2.0-192.0.3.255"], false));
  allocations.put({ ...claimOf(1, ["a", "b"]), uid: "" });
  allocations.put(claimOf(1, ["a", "b"]));
  allocations.put({ ...claimOf(1, ["a", "b"]), resourceVersion: "2" });
  assert.equal(countFreed(), 0);
  allocations.put(claimOf(1, ["b"]));
  assert.equal(countFreed(), 1);
  allocations.drop(virtualIpName(addressOf(1)));
  assert.equal(countFreed(), 2);
  allocations.block("Node n1", [addressOf(2)]);
  assert.equal(countFreed(), 2);
  allocations.block("Node n1", []);
  assert.equal(countFreed(), 3);
});
