import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { decide, type Situation } from "../../../../speaker/membership/decide.ts";
import { Membership } from "../../../../speaker/membership/membership.ts";
import type { MembershipStake } from "../../../../speaker/membership/stake.ts";
import { timingFor } from "../../../../speaker/membership/timing.ts";
import type { Claim } from "../../../../src/heartbeat/messages.ts";
import { beat } from "./beat.ts";
import { address, stake } from "./two-owners.ts";

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

describe("a node that hears nothing from its start", () => {
  /** What n2 does about the address, and when it reports that it is cut off, in ms. `act`: what happens at which time. */
  function follow(act: (nowMs: number, membership: Membership) => void): readonly (readonly [number, string])[] {
    const membership = new Membership({ node: "n2", session: 1, incarnation: 1, timing: timingFor(), nowMs: 0 });
    membership.setPeers([{ node: "n1", onLan: true }]);
    const done: (readonly [number, string])[] = [];
    for (let nowMs = 10; nowMs <= 6000; nowMs += 10) {
      if (nowMs % 1000 !== 0 && nowMs < membership.nextDueMs) continue;
      membership.advance(nowMs);
      act(nowMs, membership);
      for (const effect of membership.take()) {
        const what = effect.kind === "fact" ? effect.fact.kind : effect.kind;
        if (["announce", "withdraw", "isolated", "connected"].includes(what)) done.push([nowMs, what]);
      }
    }
    return done;
  }
  const shared: MembershipStake = { ...stake, owners: ["n2", "n1"] };
  const alone: MembershipStake = { ...stake, owners: ["n2"] };
  const setAt = (atMs: number, what: MembershipStake) => (nowMs: number, membership: Membership) => {
    if (nowMs === atMs) membership.setStake(what);
  };

  test("announces an address that no other node owns", () => {
    assert.deepEqual(follow(setAt(1000, alone)), [[1000, "announce"]]);
  });

  test("announces an address that it owns alone, although the status still names another node", () => {
    const moved: MembershipStake = { ...alone, announcedBy: "n1" };
    const done = follow(setAt(1000, moved));
    assert.deepEqual(
      done.map(([, what]) => what),
      ["announce"],
    );
  });

  test("announces no address that another node owns as well, whenever it learns of it", () => {
    assert.deepEqual(follow(setAt(10, shared)), [[2000, "isolated"]]);
    assert.deepEqual(follow(setAt(1000, shared)), [[3000, "isolated"]]);
  });

  test("asks its LAN who has the addresses, because it listens only where it has sent something", () => {
    const membership = new Membership({ node: "n2", session: 1, incarnation: 1, timing: timingFor(), nowMs: 0 });
    membership.setPeers([{ node: "n1", onLan: true }]);
    membership.setStake(shared);
    membership.advance(300);
    const asked = membership.take().filter(({ kind }) => kind.startsWith("ask"));
    assert.deepEqual(asked, [
      { kind: "askGateway" },
      { kind: "askNode", node: "n1" },
      { kind: "askAnnounced", node: "n2", addresses: [address] },
    ]);
  });

  test("withdraws what it announced alone when another node owns it as well, once it is certain that it hears nothing", () => {
    const first = setAt(1000, alone);
    const second = setAt(2000, shared);
    const done = follow((nowMs, membership) => {
      first(nowMs, membership);
      second(nowMs, membership);
    });
    assert.deepEqual(done, [
      [1000, "announce"],
      [4000, "isolated"],
      [4000, "withdraw"],
    ]);
  });

  test("announces it when it hears something, or when it owns it alone", () => {
    const set = setAt(10, shared);
    const hear = (nowMs: number, membership: Membership): void => {
      set(nowMs, membership);
      if (nowMs === 4000) membership.lanHeard(nowMs);
    };
    const expected = [
      [2000, "isolated"],
      [4000, "connected"],
      [4300, "announce"],
    ];
    assert.deepEqual(follow(hear), expected);
    const own = setAt(4000, alone);
    const getAlone = (nowMs: number, membership: Membership): void => {
      set(nowMs, membership);
      own(nowMs, membership);
    };
    assert.deepEqual(follow(getAlone), expected);
  });

  test("has heard nothing, although it owned the address alone for a while", () => {
    const steps = [setAt(10, shared), setAt(2500, alone), setAt(3000, shared)];
    const done = follow((nowMs, membership) => {
      for (const step of steps) step(nowMs, membership);
    });
    assert.deepEqual(done, [
      [2000, "isolated"],
      [2500, "connected"],
      [2800, "announce"],
      [5000, "isolated"],
      [5000, "withdraw"],
    ]);
  });
});
