import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decide, type Situation } from "../../../../speaker/membership/decide.ts";
import { Membership } from "../../../../speaker/membership/membership.ts";
import type { MembershipStake } from "../../../../speaker/membership/stake.ts";
import { timingFor } from "../../../../speaker/membership/timing.ts";
import type { Claim } from "../../../../src/heartbeat/messages.ts";
import { beat } from "./beat.ts";

const address = "192.0.2.1";
const stake: MembershipStake = {
  address,
  family: "IPv4",
  owners: ["n1", "n2"],
  createdSeconds: 1,
  term: 3,
  armed: true,
};

/** n2 starts beside n1, which announces nothing. */
interface World {
  readonly owners?: readonly string[];
  /** What the process before announced by; `isLate`: that is known only after the stake. */
  readonly resumed?: Claim;
  readonly isLate?: boolean;
  /** n1 has claims that do not arrive. */
  readonly isIncomplete?: boolean;
}

/** When n2 takes the address, in ms, and by which epoch. */
function takes({ owners = stake.owners, resumed, isLate = false, isIncomplete = false }: World): readonly number[] {
  const membership = new Membership({ node: "n2", session: 1, incarnation: 1, timing: timingFor(), nowMs: 0 });
  membership.setPeers([{ node: "n1", onLan: true }]);
  const resume = (): void => membership.resume(new Map(resumed === undefined ? [] : [[address, resumed]]));
  if (!isLate) resume();
  for (let nowMs = 10; nowMs <= 5000; nowMs += 10) {
    membership.advance(nowMs);
    if (nowMs === 20) membership.setStake({ ...stake, owners });
    if (nowMs === 50 && isLate) resume();
    if (nowMs % 100 === 0)
      membership.receive("n1", { ...beat, sequence: nowMs, claimsVersion: isIncomplete ? 1 : 0 }, nowMs);
    for (const effect of membership.take()) {
      if (effect.kind === "fact" && effect.fact.kind === "holding") return [nowMs, effect.fact.claim.epoch];
    }
  }
  return [];
}

describe("a node that starts takes an address", () => {
  const resumed: Claim = { createdSeconds: 1, term: 3, epoch: 7, rank: 1 };
  const rows: readonly { readonly name: string; readonly world: World; readonly expected: readonly number[] }[] = [
    { name: "when the better owner has not done so for a while", world: {}, expected: [600, 1] },
    { name: "by the claim of the process before it", world: { resumed }, expected: [100, 7] },
    { name: "by that claim, if it learns of it after the stake", world: { resumed, isLate: true }, expected: [100, 7] },
    {
      name: "not by a claim of a list that is newer than what it knows",
      world: { resumed: { ...resumed, term: 4 } },
      expected: [600, 1],
    },
    { name: "as the first owner", world: { owners: ["n2", "n1"] }, expected: [100, 0] },
    {
      name: "as the first owner, once it has waited for claims that do not arrive",
      world: { owners: ["n2", "n1"], isIncomplete: true },
      expected: [2000, 0],
    },
  ];
  for (const { name, world, expected } of rows) test(name, () => assert.deepEqual(takes(world), expected));
});

test("a node that restarted long ago does not take an address by what the process before announced", () => {
  const membership = new Membership({ node: "n2", session: 1, incarnation: 1, timing: timingFor(), nowMs: 0 });
  membership.setPeers([{ node: "n1", onLan: true }]);
  const resumed: Claim = { createdSeconds: 1, term: 3, epoch: 7, rank: 1 };
  membership.resume(new Map([[address, resumed]]));
  const taken: number[] = [];
  for (let nowMs = 10; nowMs <= 21_000; nowMs += 10) {
    membership.advance(nowMs);
    // Another Service gets the address, and n1 is the first owner.
    if (nowMs === 20_000) membership.setStake({ ...stake, createdSeconds: 2 });
    if (nowMs % 100 === 0) membership.receive("n1", { ...beat, sequence: nowMs }, nowMs);
    for (const effect of membership.take())
      if (effect.kind === "fact" && effect.fact.kind === "holding") taken.push(nowMs);
  }
  assert.deepEqual(taken, [20_500], "after it has waited for n1");
});

test("an owner leaves an address alone that is announced by a newer list than it knows, whatever the announcer says", () => {
  const situation: Situation = {
    node: "n2",
    stake,
    own: undefined,
    other: { holder: "n1", claim: { createdSeconds: 1, term: 3, epoch: 0, rank: 0 } },
    seenEpoch: 0,
    isKnown: true,
    isAble: true,
    isWilling: true,
    sinceMs: 0,
    nowMs: 1000,
    timing: timingFor(),
    eligibility: () => "ineligible",
    yields: () => "PeerLeft",
    isHeard: () => true,
  };
  assert.equal(decide(situation).kind, "take");
  const newer: Situation = {
    ...situation,
    other: { holder: "n1", claim: { createdSeconds: 1, term: 4, epoch: 0, rank: 0 } },
  };
  assert.deepEqual(decide(newer), { kind: "keep" });
});
