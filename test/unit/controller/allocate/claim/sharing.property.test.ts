import assert from "node:assert/strict";
import { test } from "node:test";
import type { V1Service } from "@kubernetes/client-node";
import fc from "fast-check";
import { allocate } from "../../../../../controller/allocate/allocate.ts";
import { AddressAllocations } from "../../../../../controller/allocate/allocations/address-allocations.ts";
import { sharingOf, withoutService, withService } from "../../../../../controller/allocate/claim/sharing.ts";
import { choosePools } from "../../../../../controller/allocate/pool/pool-set.ts";
import { ipAddressPoolSchema } from "../../../../../src/api/ip-address-pool.ts";
import { formatAddress, virtualIpName } from "../../../../../src/ip/address.ts";
import { projectService, type ServiceView } from "../../../../../src/model/service.ts";
import { serviceKeyOf } from "../../../../../src/model/service-reference.ts";

const pool = ipAddressPoolSchema.parse({
  metadata: { name: "lan" },
  spec: { addresses: ["192.0.2.10-192.0.2.13"] },
});

/** Few of everything, so that Services meet. */
const services = fc.record({
  name: fc.constantFrom("a", "b", "c", "d", "e", "f"),
  namespace: fc.constantFrom("one", "two"),
  key: fc.constantFrom("", "front", "back"),
  ports: fc.uniqueArray(fc.constantFrom("80/TCP", "81/TCP", "53/TCP", "53/UDP"), { minLength: 1, maxLength: 3 }),
  local: fc.boolean(),
  selector: fc.constantFrom("web", "other"),
  loadBalancerIP: fc.constantFrom(undefined, "192.0.2.10", "192.0.2.11"),
  gone: fc.boolean(),
});
type Wish = typeof services extends fc.Arbitrary<infer Value> ? Value : never;

function viewOf(wish: Wish): ServiceView {
  const raw: V1Service = {
    metadata: {
      namespace: wish.namespace,
      name: wish.name,
      uid: `${wish.namespace}-${wish.name}`,
      annotations: wish.key === "" ? {} : { "bellhop.dev/share": wish.key },
    },
    spec: {
      type: "LoadBalancer",
      ipFamilies: ["IPv4"],
      ports: wish.ports.map((text) => ({ port: Number.parseInt(text, 10), protocol: text.split("/")[1] ?? "" })),
      externalTrafficPolicy: wish.local ? "Local" : "Cluster",
      selector: { app: wish.selector },
      ...(wish.loadBalancerIP === undefined ? {} : { loadBalancerIP: wish.loadBalancerIP }),
    },
  };
  return projectService(raw);
}

/** What the writer would make of an allocation, at once and without races. */
function carryOut(allocations: AddressAllocations, service: ServiceView, gone: boolean): readonly string[] {
  const { assignments } = gone ? { assignments: [] } : allocate(allocations, service, {});
  const kept = new Set(assignments.map(({ address }) => virtualIpName(address)));
  for (const { address, pool: from, claim } of assignments) {
    const name = virtualIpName(address);
    const made = claim ?? { name, address, pool: from, services: [], managed: true, uid: name, resourceVersion: "1" };
    allocations.put({ ...made, services: withService(made, service) });
  }
  for (const claim of allocations.claimsOf(service.key)) {
    if (kept.has(claim.name)) continue;
    const others = withoutService(claim, service.key);
    if (others.length === 0) allocations.drop(claim.name);
    else allocations.put({ ...claim, services: others });
  }
  return assignments.map(({ address }) => formatAddress(address));
}

test("Services that share an address always fit together, and only a Service that changes moves", () => {
  fc.assert(
    fc.property(fc.array(services, { maxLength: 40, size: "max" }), (desired) => {
      const allocations = new AddressAllocations();
      allocations.setPools(choosePools([pool]));
      const present = new Map<string, ServiceView>();
      for (const wish of desired) {
        const service = viewOf(wish);
        const before = new Map([...allocations.claims.values()].map((claim) => [claim.name, claim.services]));
        const given = carryOut(allocations, service, wish.gone);
        if (wish.gone) present.delete(service.key);
        else present.set(service.key, service);
        if (!wish.gone && wish.loadBalancerIP !== undefined && given.length > 0) {
          const kept =
            before.get(given[0] ?? "")?.some((reference) => serviceKeyOf(reference) === service.key) === true;
          assert.ok(
            kept || given[0] === wish.loadBalancerIP,
            "an address that is asked for is never replaced by a new one",
          );
        }
        for (const [name, references] of before) {
          for (const reference of references) {
            if (serviceKeyOf(reference) === service.key) continue;
            assert.ok(
              allocations.claims.get(name)?.services.some((now) => serviceKeyOf(now) === serviceKeyOf(reference)),
            );
          }
        }
        for (const { services: holders } of allocations.claims.values()) {
          const views = holders.flatMap((reference) => present.get(serviceKeyOf(reference)) ?? []);
          assert.equal(views.length, holders.length, "no claim names who is gone");
          if (views.length < 2) continue;
          const offers = views.map(sharingOf);
          assert.equal(new Set(offers.map((offer) => offer?.key)).size, 1);
          assert.ok(offers.every((offer) => offer !== undefined));
          assert.equal(new Set(offers.map((offer) => offer?.backends)).size, 1);
          const ports = offers.flatMap((offer) => offer?.ports ?? []);
          assert.equal(new Set(ports).size, ports.length, ports.join(" "));
          assert.equal(new Set(views.map(({ namespace }) => namespace)).size, 1);
        }
      }
    }),
    { numRuns: 300 },
  );
});
