import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Claim } from "../../../../controller/allocate/claim/claim.ts";
import { OwnerAssignments } from "../../../../controller/virtual-ips/owner-assignments.ts";

const nodes = ["n1", "n2", "n3", "n4"];

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
      current: () => (address) => ({ nodes: nodes.slice(0, 2 + Number(address.value % 3n)), interfaces: [] }),
    },
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
          const result = reviewed.keeper.replan([...new Set(round.map((one) => reviewed.make(one)))]);
          const whole = passed.keeper.replanAll(false);
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
});
