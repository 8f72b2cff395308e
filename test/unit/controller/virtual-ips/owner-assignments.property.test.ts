import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Claim } from "../../../../controller/allocate/claim/claim.ts";
import { maxOwners } from "../../../../controller/owners/owner-list.ts";
import { OwnerAssignments } from "../../../../controller/virtual-ips/owner-assignments.ts";
import { runAtOnce } from "../../../../src/clock/turn.ts";

const nodes = Array.from({ length: 12 }, (_, index) => `n${String(index).padStart(2, "0")}`);

interface Change {
  readonly index: number;
  /** Nodes with ready endpoints; undefined: every node will do. */
  readonly local: readonly string[] | undefined;
  /** Whether a Service has the address. */
  readonly held: boolean;
}

const change: fc.Arbitrary<Change> = fc.record({
  index: fc.nat(9),
  local: fc.option(fc.subarray(nodes), { nil: undefined }),
  held: fc.boolean(),
});

/** Addresses that come, go and change where their endpoints are, in a place of their own each, on LANs of different nodes. */
class Place {
  readonly claims = new Map<string, Claim>();
  readonly #local = new Map<string, ReadonlySet<string>>();
  readonly keeper = new OwnerAssignments({
    allocations: { claims: this.claims },
    virtualIps: { views: new Map() },
    candidates: {
      someReadSpecOnly: false,
      cutOff: new Set(),
      current:
        () =>
        ({ address }) => ({
          nodes: nodes.slice(0, 2 + 5 * Number(address.value % 3n)),
          interfaces: new Map(),
          preferred: undefined,
          departing: new Set(),
        }),
    },
    peers: 4,
    services: { localNodes: ([service]) => this.#local.get(service?.name ?? "") },
  });

  /** Gives the name of the claim. */
  make({ index, local, held }: Change): string {
    const name = `192.0.2.${index}`;
    const address = { family: "IPv4", value: 0xc0000200n + BigInt(index) } as const;
    const services = held ? [{ namespace: "default", name }] : [];
    this.claims.set(name, { name, address, pool: "lan", services, managed: true, uid: name, resourceVersion: "1" });
    if (local === undefined) this.#local.delete(name);
    else this.#local.set(name, new Set(local));
    return name;
  }

  /** Each list is of its own candidates, those with endpoints first, and the counts are those of the lists. */
  expectRight(): void {
    const loads = new Map<string, number>();
    for (const { name, address, services } of this.claims.values()) {
      const owners = this.keeper.desired(name)?.owners;
      if (services.length === 0) {
        assert.equal(owners, undefined);
        continue;
      }
      const candidates = nodes.slice(0, 2 + 5 * Number(address.value % 3n));
      assert.equal(owners?.length, Math.min(maxOwners, candidates.length));
      assert.equal(new Set(owners).size, owners.length);
      assert.ok(owners.every((node) => candidates.includes(node)));
      const local = this.#local.get(name);
      const near = candidates.filter((node) => local?.has(node) ?? false);
      const expected = Math.min(near.length, owners.length);
      if (local !== undefined) assert.ok(owners.slice(0, expected).every((node) => near.includes(node)));
      loads.set(owners[0] ?? "", (loads.get(owners[0] ?? "") ?? 0) + 1);
    }
    assert.deepEqual([...this.keeper.loads].sort(), [...loads].sort());
  }

  get wanted(): unknown {
    return [...this.claims.keys()].sort().map((name) => [name, this.keeper.desired(name)]);
  }
}

describe("properties of owner assignments", () => {
  test("a review of what has changed comes to what a pass over everything does", () => {
    fc.assert(
      fc.property(fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { maxLength: 12 }), (rounds) => {
        const [reviewed, passed] = [new Place(), new Place()];
        for (const round of rounds) {
          for (const one of round) passed.make(one);
          const result = runAtOnce(reviewed.keeper.replan([...new Set(round.map((one) => reviewed.make(one)))]));
          const whole = runAtOnce(passed.keeper.replanAll(false));
          assert.deepEqual(reviewed.wanted, passed.wanted);
          assert.deepEqual([...reviewed.keeper.loads].sort(), [...passed.keeper.loads].sort());
          assert.deepEqual(
            result.announceabilityChanged.map(({ name }) => name).sort(),
            whole.announceabilityChanged.map(({ name }) => name).sort(),
          );
        }
      }),
    );
  });

  test("whatever changes between the steps of a pass: every list is right once what is outdated is planned again", () => {
    const event = fc.record({ ...{ afterSteps: fc.nat(60) }, change });
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 10 }),
        fc.array(event, { maxLength: 8 }),
        fc.boolean(),
        (start, events, even) => {
          const place = new Place();
          for (const one of start) place.make(one);
          runAtOnce(place.keeper.replanAll(false));
          const due = events.toSorted((a, b) => a.afterSteps - b.afterSteps);
          const changed = new Set<string>();
          const steps = place.keeper.replanAll(even);
          let outdated: readonly string[] = [];
          for (let step = 0; ; step++) {
            const { done, value } = steps.next();
            if (done === true) {
              outdated = value.outdated;
              break;
            }
            // What the router does of its own accord for a claim that changes, and for a new one.
            for (; due[0] !== undefined && due[0].afterSteps <= step; due.shift()) {
              const name = place.make(due[0].change);
              changed.add(name);
              if (due[0].change.held) place.keeper.assignOwners(place.claims.get(name) as Claim);
            }
          }
          runAtOnce(place.keeper.replan([...new Set([...outdated, ...changed])]));
          place.expectRight();
          const before = place.wanted;
          runAtOnce(place.keeper.replanAll(false));
          assert.deepEqual(place.wanted, before, "a pass finds nothing left to do");
        },
      ),
    );
  });
});
