import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Membership } from "../../../../speaker/membership/membership.ts";
import { timingFor } from "../../../../speaker/membership/timing.ts";
import { beat } from "./beat.ts";

/** When n1 and n2 fall silent together, and the gateway as well, in ms. */
const silentMs = 2000;

/** What n3 learns. */
interface World {
  /** From when on a device on the LAN is heard, and how often. */
  readonly lanFromMs: number;
  readonly lanEveryMs: number;
  /** A gateway answers until the others fall silent. */
  readonly hasGateway?: boolean;
  /** From then on n1 and n2 are heard again. */
  readonly returnAtMs?: number;
}

/** What n3 does in a minute: when it announces and withdraws the address of n1, and which nodes it counts as dead. */
function see({ lanFromMs, lanEveryMs, hasGateway = false, returnAtMs = Number.POSITIVE_INFINITY }: World): {
  readonly announcedAtMs: number | undefined;
  readonly dead: readonly string[];
} {
  const membership = new Membership({ node: "n3", session: 1, incarnation: 1, timing: timingFor(), nowMs: 0 });
  const peers = ["n1", "n2"];
  membership.setPeers(peers.map((node) => ({ node, onLan: true })));
  const owners = [...peers, "n3"];
  membership.setStake({ address: "192.0.2.1", family: "IPv4", owners, createdSeconds: 1, term: 1, armed: true });
  let announcedAtMs: number | undefined;
  let dead: readonly string[] = [];
  let asksGateway = false;
  for (let nowMs = 5; nowMs <= 60_000; nowMs += 5) {
    membership.advance(nowMs);
    if (nowMs % 100 === 0 && (nowMs <= silentMs || nowMs >= returnAtMs))
      for (const [index, node] of peers.entries())
        membership.receive(node, { ...beat, session: 10 + index, sequence: nowMs }, nowMs);
    if (nowMs >= lanFromMs && (nowMs - lanFromMs) % lanEveryMs === 0) membership.lanHeard(nowMs);
    if (asksGateway && hasGateway && nowMs < silentMs) membership.gatewayAnswered(nowMs);
    asksGateway = false;
    for (const effect of membership.take()) {
      if (effect.kind === "askGateway") asksGateway = true;
      if (effect.kind === "announce") announcedAtMs = nowMs;
      if (effect.kind === "withdraw") announcedAtMs = undefined;
      if (effect.kind === "fact" && effect.fact.kind === "peerDown") dead = [...dead, effect.fact.node];
    }
  }
  return { announcedAtMs, dead: dead.toSorted() };
}

describe("the last of three nodes that hears neither the others nor a gateway", () => {
  for (const hasGateway of [false, true]) {
    for (const lanEveryMs of [100, 500, 1000, 10_000]) {
      const words = hasGateway ? ", after the gateway has fallen silent, too" : "";
      test(`takes over once it hears a device on the LAN, each ${lanEveryMs} ms${words}`, () => {
        const { announcedAtMs, dead } = see({ lanFromMs: 4000, lanEveryMs, hasGateway });
        assert.deepEqual(dead, ["n1", "n2"]);
        assert.ok(announcedAtMs !== undefined && announcedAtMs <= 4300, `${announcedAtMs}`);
      });
    }
  }

  test("announces nothing as long as it hears nothing", () => {
    const world = { lanFromMs: Number.POSITIVE_INFINITY, lanEveryMs: 1000 };
    assert.deepEqual(see(world), { announcedAtMs: undefined, dead: [] });
  });

  test("counts none as dead that is heard a moment after the LAN, as when its cable is back", () => {
    assert.deepEqual(see({ lanFromMs: 4000, lanEveryMs: 1000, returnAtMs: 4200 }).dead, []);
  });
});
