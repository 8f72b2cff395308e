import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Membership } from "../../../../speaker/membership/membership.ts";
import type { MembershipStake } from "../../../../speaker/membership/stake.ts";
import { timingFor } from "../../../../speaker/membership/timing.ts";
import type { Claim, Heartbeat } from "../../../../src/heartbeat/messages.ts";
import { beat } from "./beat.ts";
import { address, claimOfSecond, stake } from "./two-owners.ts";

/** What a node whose only peer is n2 does and learns, by the time in ms. n2 announces nothing, and a gateway answers. */
interface Life {
  /** What heartbeats of n2 say otherwise. */
  readonly peer?: Partial<Heartbeat>;
  readonly resumed?: Claim;
  readonly stakes?: Readonly<Record<number, MembershipStake>>;
  /** When it no longer has a part in the address. */
  readonly removedMs?: number;
  /** Between these two times n2 is not heard, and nothing else is. */
  readonly cutOffMs?: readonly [number, number];
}

/** Whether the heartbeats of n1 say that it announces addresses only as their first owner: each change, with the time. */
function saysOf({
  resumed,
  peer = {},
  stakes = {},
  removedMs,
  cutOffMs: [fromMs, toMs] = [0, 0],
}: Life): readonly (readonly [number, boolean])[] {
  const membership = new Membership({ node: "n1", session: 1, incarnation: 1, timing: timingFor(), nowMs: 0 });
  if (resumed !== undefined) membership.resume(new Map([[address, resumed]]));
  membership.setPeers([{ node: "n2", onLan: true }]);
  const said: (readonly [number, boolean])[] = [];
  for (let nowMs = 10; nowMs <= 9000; nowMs += 10) {
    membership.advance(nowMs);
    const given = stakes[nowMs];
    if (given !== undefined) membership.setStake(given);
    if (nowMs === removedMs) membership.removeStake(address);
    if (nowMs % 100 === 0 && (nowMs < fromMs || nowMs >= toMs)) {
      membership.gatewayAnswered(nowMs);
      membership.receive("n2", { ...beat, ...peer, sequence: nowMs }, nowMs);
    }
    for (const effect of membership.take()) {
      if (effect.kind !== "send" || effect.message.kind !== "heartbeat") continue;
      const { onlyAsFirst } = effect.message;
      if (said.at(-1)?.[1] !== onlyAsFirst) said.push([nowMs, onlyAsFirst]);
    }
  }
  return said;
}

describe("a node says that it announces addresses only as their first owner", () => {
  const second: MembershipStake = { ...stake, owners: ["n2", "n1"] };
  const first: MembershipStake = { ...stake, term: 4 };
  const rows: readonly { readonly name: string; readonly life: Life; readonly said: unknown }[] = [
    {
      name: "once it no longer only listens",
      life: { stakes: { 20: stake } },
      said: [
        [10, false],
        [100, true],
      ],
    },
    {
      name: "not while it waits for the first owner to take one",
      life: { stakes: { 1000: second, 1300: first } },
      said: [
        [10, false],
        [300, true],
        [1000, false],
        [1300, true],
      ],
    },
    {
      name: "again once it no longer is an owner of one for which it has waited",
      life: { stakes: { 1000: second }, removedMs: 1300 },
      said: [
        [10, false],
        [300, true],
        [1000, false],
        [1300, true],
      ],
    },
    {
      name: "not while it cannot take one although it is its turn",
      life: { peer: { ipv4: false }, stakes: { 1000: { ...second, armed: false }, 1300: { ...first, armed: false } } },
      said: [
        [10, false],
        [300, true],
        [1000, false],
        [1300, true],
      ],
    },
    {
      name: "until it takes one as the second owner, and no longer when it comes first in the list",
      life: { stakes: { 1000: second, 2000: first } },
      said: [
        [10, false],
        [300, true],
        [1000, false],
      ],
    },
    {
      name: "again once it has withdrawn that one",
      life: { stakes: { 1000: second, 2000: { ...second, armed: false } } },
      said: [
        [10, false],
        [300, true],
        [1000, false],
        [2000, true],
      ],
    },
    {
      name: "again once it was cut off, and has withdrawn what it announced",
      life: { stakes: { 1000: second, 2000: first }, cutOffMs: [3000, 5000] },
      said: [
        [10, false],
        [300, true],
        [1000, false],
        [5000, true],
      ],
    },
    {
      name: "not while it may announce again what the process before announced",
      life: { resumed: claimOfSecond, stakes: { 4500: second } },
      said: [[10, false]],
    },
    {
      name: "not while it cannot do so, either, whatever happens meanwhile",
      life: { resumed: claimOfSecond, stakes: { 20: { ...second, armed: false } }, cutOffMs: [6000, 7000] },
      said: [[10, false]],
    },
    {
      name: "not if it was cut off then, either",
      life: { resumed: claimOfSecond, cutOffMs: [1000, 2000], stakes: { 20: stake, 4500: second } },
      said: [[10, false]],
    },
  ];
  for (const { name, life, said } of rows) test(name, () => assert.deepEqual(saysOf(life), said));
});
