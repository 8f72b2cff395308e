import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Claim } from "../../../../controller/allocate/claim/claim.ts";
import { followedAnnouncer } from "../../../../controller/virtual-ips/follow-announcer.ts";
import { OwnerAssignments } from "../../../../controller/virtual-ips/owner-assignments.ts";
import { managedByController, managedByLabel } from "../../../../src/api/labels.ts";
import { type VirtualIP, virtualIpSchema } from "../../../../src/api/virtual-ip.ts";
import { runAtOnce } from "../../../../src/clock/turn.ts";

const name = "192.0.2.7";
const nodes = ["n1", "n2", "n3", "n4"];
const claim: Claim = {
  name,
  address: { family: "IPv4", value: 0xc0000207n },
  pool: "lan",
  services: [{ namespace: "default", name: "web" }],
  managed: true,
  uid: "u",
  resourceVersion: "1",
};

/** One VirtualIP in the API server, and the speakers, which hold the address as the rules of claims say. */
class Announced {
  object: VirtualIP = virtualIpSchema.parse({
    metadata: { name, resourceVersion: "1", generation: 1, labels: { [managedByLabel]: managedByController } },
    spec: { address: name, services: claim.services, owners: ["n1", "n2", "n3"] },
  });
  readonly alive = new Set(nodes);
  /** Live nodes that never begin to announce, for a reason that the controllers do not know. */
  readonly unable = new Set<string>();
  local: ReadonlySet<string> | undefined;
  holder: string | undefined;
  #term = 0;

  change(patch: { owners?: readonly string[]; status?: Record<string, unknown> }): void {
    const { metadata, spec, status } = this.object;
    const resourceVersion = String(Number(metadata.resourceVersion) + 1);
    const generation = metadata.generation + (patch.owners === undefined ? 0 : 1);
    this.object = virtualIpSchema.parse({
      metadata: { ...metadata, resourceVersion, generation },
      spec: { ...spec, ...(patch.owners === undefined ? {} : { owners: patch.owners }) },
      status: { ...status, ...patch.status },
    });
  }

  /** The speakers see the newest list: a new first owner takes over; else the holder stays, or the next owner takes over. */
  speakersAct(): void {
    const { owners } = this.object.spec;
    const can = (node: string): boolean => this.alive.has(node) && !this.unable.has(node);
    const [first] = owners;
    if (this.object.metadata.generation > this.#term && first !== undefined && can(first)) this.holder = first;
    this.#term = this.object.metadata.generation;
    if (this.holder === undefined || !can(this.holder) || !owners.includes(this.holder)) this.holder = owners.find(can);
  }

  speakerReports(): void {
    const status = { node: this.holder, observedGeneration: this.#term };
    const { node, observedGeneration } = this.object.status ?? {};
    if (this.holder !== undefined && (node !== status.node || observedGeneration !== status.observedGeneration)) {
      this.change({ status });
    }
  }
}

/** A controller whose watch may be late. */
class Follower {
  readonly #world: Announced;
  readonly #views = new Map<string, VirtualIP>();
  readonly assignments: OwnerAssignments;
  #live: readonly string[] = nodes;
  writes = 0;

  constructor(world: Announced) {
    this.#world = world;
    this.assignments = new OwnerAssignments({
      allocations: { claims: new Map([[name, claim]]) },
      virtualIps: { views: this.#views },
      candidates: {
        someReadSpecOnly: false,
        cutOff: new Set(),
        current: () => () => ({ nodes: this.#live, interfaces: new Map(), preferred: undefined, departing: new Set() }),
      },
      services: { localNodes: () => world.local },
      peers: 6,
    });
    this.see();
  }

  see(): void {
    if (this.#views.get(name) === this.#world.object) return;
    this.#views.set(name, this.#world.object);
    if (this.assignments.observe(name)) runAtOnce(this.assignments.replan([name]));
  }

  seeNodes(): void {
    const live = nodes.filter((node) => this.#world.alive.has(node));
    if (live.join() !== this.#live.join()) this.assignments.nodesChanged();
    this.#live = live;
    this.plan();
  }

  /** Whether it takes the node for alive. */
  sees(node: string): boolean {
    return this.#live.includes(node);
  }

  plan(): void {
    runAtOnce(this.assignments.replanAll(false));
  }

  /** As VirtualIpWriter does: names the version that it has seen. Returns the list that was written. */
  write(): readonly string[] | undefined {
    const object = this.#views.get(name) as VirtualIP;
    const owners = this.assignments.writesFor(object)?.spec?.owners as readonly string[] | undefined;
    if (owners === undefined || object.metadata.resourceVersion !== this.#world.object.metadata.resourceVersion) return;
    this.#world.change({ owners });
    this.writes++;
    this.assignments.written(this.#world.object);
    return owners;
  }
}

type Step =
  | { readonly kind: "speakersAct" | "speakerReports" }
  | { readonly kind: "kill" | "revive" | "disable" | "enable"; readonly node: string }
  | { readonly kind: "see" | "seeNodes" | "plan" | "write"; readonly by: number }
  | { readonly kind: "local"; readonly local: readonly string[] | undefined };

const node = fc.constantFrom(...nodes);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom("speakersAct", "speakerReports") }),
  fc.record({ kind: fc.constantFrom("kill", "revive", "disable", "enable"), node }),
  fc.record({ kind: fc.constantFrom("see", "seeNodes", "plan", "write"), by: fc.nat(1) }),
);
const local = fc.record({ kind: fc.constant("local"), local: fc.option(fc.subarray(nodes), { nil: undefined }) });

function carryOut(world: Announced, followers: readonly Follower[], one: Step): void {
  switch (one.kind) {
    case "speakersAct":
      world.speakersAct();
      break;
    case "speakerReports":
      world.speakerReports();
      break;
    case "kill":
      world.alive.delete(one.node);
      break;
    case "revive":
      world.alive.add(one.node);
      break;
    case "disable":
      world.unable.add(one.node);
      break;
    case "enable":
      world.unable.delete(one.node);
      break;
    case "local":
      world.local = one.local === undefined ? undefined : new Set(one.local);
      break;
    default:
      followers[one.by % followers.length]?.[one.kind]();
  }
}

/** Until nothing changes. Returns how many lists were written. */
function calmDown(world: Announced, followers: readonly Follower[]): number {
  const written = (): number => followers.reduce((sum, { writes }) => sum + writes, 0);
  const start = written();
  for (let round = 0; round < 30; round++) {
    const before = world.object;
    world.speakersAct();
    world.speakerReports();
    for (const follower of followers) {
      follower.see();
      follower.seeNodes();
      follower.write();
    }
    for (const follower of followers) follower.see();
    if (world.object === before) return written() - start;
  }
  assert.fail(`no end: ${world.object.spec.owners.join()} holder ${world.holder}`);
}

describe("properties of following", () => {
  for (const controllers of [1, 2]) {
    test(`whatever happened, ${controllers} controllers with late watches come to a list that begins with the announcer, and write no more`, () => {
      fc.assert(
        fc.property(fc.array(fc.oneof({ weight: 8, arbitrary: step }, local), { maxLength: 60 }), (steps) => {
          const world = new Announced();
          const followers = Array.from({ length: controllers }, () => new Follower(world));
          for (const one of steps) carryOut(world, followers, one);
          const writes = calmDown(world, followers);
          // Each controller may have one old decision, one list that follows, one change to preferred nodes and back.
          assert.ok(writes <= 5 * controllers, `${writes} writes`);
          if (world.holder !== undefined) assert.equal(world.object.spec.owners[0], world.holder);
        }),
        { numRuns: 400 },
      );
    });
  }

  test("an address in use leaves a live announcer only when the speakers said so, or for a node that is preferred", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const world = new Announced();
        const follower = new Follower(world);
        runAtOnce(follower.assignments.replanAll(false));
        for (const one of steps) {
          const before = world.object;
          carryOut(world, [follower], one);
          if (world.object.spec.owners === before.spec.owners) continue;
          const announcer = followedAnnouncer(before);
          if (announcer !== undefined && world.alive.has(announcer) && follower.sees(announcer)) {
            assert.equal(world.object.spec.owners[0], announcer);
          }
        }
      }),
      { numRuns: 400 },
    );
  });

  test("under Local an announcer without endpoints gives the address back to the node that has them, and to no other", () => {
    const world = new Announced();
    world.local = new Set(["n1"]);
    const follower = new Follower(world);
    calmDown(world, [follower]);
    assert.equal(world.holder, "n1");
    // Its speaker was away for a moment, so that the controller did not notice.
    world.alive.delete("n1");
    world.speakersAct();
    world.alive.add("n1");
    assert.equal(world.holder, "n2");
    calmDown(world, [follower]);
    assert.equal(world.holder, "n1");
    assert.equal(world.object.spec.owners[0], "n1");
  });

  test("a preferred node that does not begin to announce is not tried again until nodes or endpoints change", () => {
    const world = new Announced();
    world.local = new Set(["n1"]);
    const follower = new Follower(world);
    calmDown(world, [follower]);
    world.unable.add("n1");
    assert.ok(calmDown(world, [follower]) <= 4);
    assert.equal(world.holder, "n2");
    follower.plan();
    assert.equal(follower.write(), undefined);
    world.unable.delete("n1");
    world.alive.delete("n4");
    calmDown(world, [follower]);
    assert.equal(world.holder, "n1");
  });
});
