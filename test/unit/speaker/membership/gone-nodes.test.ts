import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { Fact } from "../../../../speaker/membership/effects.ts";
import { Membership } from "../../../../speaker/membership/membership.ts";
import { timingFor } from "../../../../speaker/membership/timing.ts";
import type { Notice } from "../../../../src/heartbeat/messages.ts";
import { beat } from "./beat.ts";

describe("a node that is no longer in the cluster", () => {
  const death: Notice = { node: "n3", incarnation: 1, revision: 1, state: "nodeDead" };
  let membership: Membership;
  let nowMs: number;

  beforeEach(() => {
    membership = new Membership({ node: "n1", session: 1, incarnation: 1, timing: timingFor(), nowMs: 0 });
    nowMs = 0;
  });

  function list(...nodes: readonly string[]): void {
    membership.setPeers(nodes.map((node) => ({ node, onLan: true })));
  }

  /** What this node reports, and which nodes it says are dead, for a while after n2 began another session. */
  function pass(session: number): { readonly facts: readonly Fact[]; readonly told: readonly string[] } {
    const facts: Fact[] = [];
    const told: string[] = [];
    for (const untilMs = nowMs + 1000; nowMs < untilMs; nowMs += 10) {
      membership.advance(nowMs);
      if (nowMs % 100 === 0) membership.receive("n2", { ...beat, session, sequence: nowMs }, nowMs);
      for (const effect of membership.take()) {
        if (effect.kind === "fact") facts.push(effect.fact);
        if (effect.kind !== "send" || effect.message.kind !== "notices") continue;
        told.push(...effect.message.notices.filter(({ state }) => state === "nodeDead").map(({ node }) => node));
      }
    }
    return { facts, told };
  }

  test("is not reported as dead, whatever other nodes say", () => {
    list("n2");
    pass(2);
    membership.receive("n2", { kind: "notices", notices: [death] }, nowMs);
    const { facts, told } = pass(2);
    assert.deepEqual(
      facts.filter(({ kind }) => kind === "peerDown"),
      [],
    );
    assert.deepEqual(told, []);
  });

  test("is not named to nodes that start", () => {
    list("n2", "n3");
    pass(2);
    membership.receive("n2", { kind: "notices", notices: [death] }, nowMs);
    pass(2);
    assert.deepEqual([...new Set(pass(3).told)], ["n3"], "while it is in the cluster, it is");
    list("n2");
    assert.deepEqual(pass(4).told, []);
  });
});
