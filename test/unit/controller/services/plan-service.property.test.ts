import assert from "node:assert/strict";
import { test } from "node:test";
import type { V1Service } from "@kubernetes/client-node";
import fc from "fast-check";
import { AddressAllocations } from "../../../../controller/allocate/allocations/address-allocations.ts";
import type { Claim } from "../../../../controller/allocate/claim/claim.ts";
import { referenceOf, withService } from "../../../../controller/allocate/claim/sharing.ts";
import { choosePools } from "../../../../controller/allocate/pool/pool-set.ts";
import { planService } from "../../../../controller/services/plan-service.ts";
import type { ServiceOp } from "../../../../controller/services/service-plan.ts";
import { ipAddressPoolSchema } from "../../../../src/api/ip-address-pool.ts";
import { virtualIpName } from "../../../../src/ip/address.ts";
import { projectService, type ServiceView } from "../../../../src/model/service.ts";
import { serviceKeyOf } from "../../../../src/model/service-reference.ts";

const names = ["a", "b", "c", "d"] as const;
/** Two disjoint pools, each small enough to run out. */
const ranges = { lan: ["192.0.2.1-192.0.2.3", "192.0.2.2-192.0.2.4"], net: ["192.0.2.8-192.0.2.9", "192.0.2.9"] };

const step = fc.oneof(
  fc.record({
    kind: fc.constant("create" as const),
    name: fc.constantFrom(...names),
    pool: fc.constantFrom("", "lan"),
  }),
  fc.record({ kind: fc.constant("delete" as const), name: fc.constantFrom(...names) }),
  fc.record({ kind: fc.constant("expire" as const), name: fc.constantFrom(...names) }),
  fc.record({
    kind: fc.constant("reassign" as const),
    name: fc.constantFrom(...names),
    text: fc.constantFrom("1", "2"),
  }),
  fc.record({
    kind: fc.constant("edit" as const),
    pool: fc.constantFrom("lan" as const, "net" as const),
    shape: fc.constantFrom(0, 1),
    state: fc.constantFrom("Active", "Draining"),
    exclude: fc.constantFrom<readonly string[]>([], ["192.0.2.2"]),
    holdAfterDelete: fc.constantFrom("0s", "10m"),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** A cluster in which every op is carried out at once, with the pure parts of the controller in it. */
class Model {
  readonly allocations = new AddressAllocations();
  readonly services = new Map<string, ServiceView>();
  readonly specs = new Map<string, Record<string, unknown>>();
  #uid = 0;

  constructor() {
    for (const [name, [addresses]] of Object.entries(ranges)) this.specs.set(name, { addresses: [addresses] });
    this.#setPools();
  }

  apply(change: Step): void {
    if (change.kind === "edit") {
      const { pool, shape, kind: _kind, ...spec } = change;
      this.specs.set(pool, { ...spec, addresses: [ranges[pool][shape]] });
      this.#setPools();
    } else if (change.kind === "create") {
      const annotations = change.pool === "" ? {} : { "bellhop.dev/pool": change.pool };
      if (!this.services.has(change.name)) this.#put(change.name, `u${this.#uid++}`, annotations);
    } else if (change.kind === "delete") this.services.delete(change.name);
    else if (change.kind === "expire") {
      for (const claim of this.allocations.claimsOf(`default/${change.name}`)) {
        if (claim.heldUntilMs !== undefined) this.allocations.drop(claim.name);
      }
    } else if (change.kind === "reassign") {
      const present = this.services.get(change.name);
      const annotations = { ...present?.annotations, "bellhop.dev/reassign": change.text };
      if (present !== undefined) this.#put(change.name, present.uid, annotations, present.ingress);
    }
    this.settle();
  }

  /** Plans every Service until nothing is left to do; what never ends is a loop. */
  settle(): void {
    for (let turn = 0; turn < 20; turn++) if (names.every((name) => this.#plan(name) === 0)) return;
    assert.fail("it does not come to rest");
  }

  shown(name: string): string | undefined {
    return this.services.get(name)?.ingress[0]?.ip;
  }

  /** Whether it waits for another address. */
  asksToLeave(name: string): boolean {
    const text = this.services.get(name)?.annotations["bellhop.dev/reassign"];
    const claim = this.allocations.claims.get(this.shown(name) ?? "");
    return text !== undefined && claim?.services[0]?.reassigned !== text;
  }

  #plan(name: string): number {
    const service = this.services.get(name);
    const key = `default/${name}`;
    const input = {
      key,
      service,
      allocations: this.allocations,
      namespaceLabels: {},
      defaultClass: true,
      hasAnnouncer: () => true,
    };
    const ops = planService(input).ops.filter(({ kind }) => kind !== "Event");
    for (const op of ops) this.#carryOut(key, service, op);
    return ops.length;
  }

  #carryOut(key: string, service: ServiceView | undefined, op: ServiceOp): void {
    if (op.kind === "ReleaseVirtualIp") {
      const { heldUntilMs: _held, ...claim } = op.claim;
      this.allocations.drop(claim.name);
      const services = claim.services.map(({ namespace, name }) => ({ namespace, name }));
      if (op.holdMs > 0) this.allocations.put({ ...claim, services, heldUntilMs: op.holdMs });
    }
    if (service === undefined) return;
    if (op.kind === "CreateVirtualIp" || op.kind === "JoinVirtualIp") {
      const claim = op.kind === "CreateVirtualIp" ? this.allocations.claimAt(op.address) : op.claim;
      const heldFor = claim?.heldUntilMs === undefined ? undefined : claim.services[0];
      assert.ok(heldFor === undefined || serviceKeyOf(heldFor) === key, "what is held for another is not given");
    }
    if (op.kind === "CreateVirtualIp") this.allocations.put(claimFor(service, op));
    if (op.kind === "JoinVirtualIp") {
      const { heldUntilMs: _held, ...claim } = op.claim;
      this.allocations.put({ ...claim, services: withService(op.claim, service) });
    }
    if (op.kind !== "PatchStatus") return;
    const finalizers = ["service.kubernetes.io/load-balancer-cleanup"];
    const ingress = op.ingress ?? service.ingress;
    this.services.set(service.name, { ...service, finalizers, ingress, addressReady: op.condition });
    assert.equal(service.key, key);
  }

  #put(name: string, uid: string, annotations: Record<string, string>, ingress?: ServiceView["ingress"]): void {
    const raw: V1Service = {
      metadata: { name, namespace: "default", uid, annotations },
      spec: { type: "LoadBalancer", ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack", ports: [{ port: 80 }] },
    };
    const view = projectService(raw);
    this.services.set(name, { ...view, ingress: ingress ?? [], finalizers: this.services.get(name)?.finalizers ?? [] });
  }

  #setPools(): void {
    const pools = [...this.specs].map(([name, spec]) => ipAddressPoolSchema.parse({ metadata: { name }, spec }));
    this.allocations.setPools(choosePools(pools));
  }
}

function claimFor(service: ServiceView, op: Extract<ServiceOp, { kind: "CreateVirtualIp" }>): Claim {
  const { address, pool } = op;
  const services = [referenceOf(service, op)];
  return { name: virtualIpName(address), address, pool, services, managed: true, uid: "u", resourceVersion: "1" };
}

test("the properties of addresses hold after any edit, deletion, hold, drain and move", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: "max" }), (steps) => {
      const model = new Model();
      for (const change of steps) {
        const before = new Map(names.map((name) => [name, model.shown(name)]));
        const asking = names.filter((name) => model.asksToLeave(name));
        const holds = [...model.allocations.claims.values()].filter(({ heldUntilMs }) => heldUntilMs !== undefined);
        model.apply(change);
        const shown = names.flatMap((name) => model.shown(name) ?? []);
        assert.equal(new Set(shown).size, shown.length, "one address, one Service");
        for (const name of names) {
          const address = model.shown(name);
          const had = before.get(name);
          if (had !== undefined && model.services.has(name) && change.kind !== "reassign" && !asking.includes(name)) {
            assert.equal(address, had, "it stays unless the user asks to leave it");
          }
          if (address === undefined) continue;
          const claim = model.allocations.claims.get(address);
          assert.ok(claim !== undefined && claim.heldUntilMs === undefined, "what is shown is claimed");
          assert.equal(claim.services[0]?.uid, model.services.get(name)?.uid);
          if (address === had) continue;
          const pool = model.allocations.pools.find((candidate) => candidate.name === claim.pool);
          assert.ok(pool?.draining === false, "what drains gives nothing new");
          assert.equal(model.allocations.poolOf(claim.address)?.name, claim.pool, "nothing new from outside the pools");
        }
        for (const { name: claimName, services } of holds) {
          const held = model.allocations.claims.get(claimName)?.heldUntilMs !== undefined;
          const hasAddress = model.shown(services[0]?.name ?? "") !== undefined;
          assert.ok(held || hasAddress || change.kind === "expire", "a hold ends when its Service has an address");
        }
      }
    }),
    { numRuns: 400 },
  );
});
