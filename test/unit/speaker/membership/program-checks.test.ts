import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Effect } from "../../../../speaker/membership/effects.ts";
import type { ProgramsAnswer } from "../../../../speaker/membership/inputs.ts";
import { Membership } from "../../../../speaker/membership/membership.ts";
import { timingFor } from "../../../../speaker/membership/timing.ts";
import { neverMs } from "../../../../src/heartbeat/messages.ts";
import { beat } from "./beat.ts";

/** How long a connection waits for its first byte. */
const kubeletTimeoutMs = 400;

/** What n2 learns of n1, whose heartbeats end at 1000. All times in ms; n3 is well, and does not hear n1 either. */
interface World {
  /** What connections to the kubelet of n1 show, by when they are opened. */
  readonly kubelet: (nowMs: number) => ProgramsAnswer | undefined;
  /** What n3 says about the programs of n1; undefined: nothing. */
  readonly witness?: { readonly silentMs: number; readonly tried: boolean } | undefined;
  /** There is no n3. */
  readonly hasNoOther?: boolean;
  /** n3 hears n1. */
  readonly isHeardByOther?: boolean;
  /** The kernel of n1 answers ARP; it does by default. */
  readonly hasKernel?: boolean;
  /** From then on it does not. */
  readonly kernelEndsAt?: number;
  /** The last heartbeat says that the speaker restarts, and comes back within so many ms. */
  readonly restartsWithin?: number;
  /** From then on there are heartbeats again, or only one. */
  readonly returnsAt?: number;
  readonly returnsOnce?: boolean;
  /** When n3 says that n1 is frozen. */
  readonly toldAt?: number;
  /** When n3 says that its programs answer again. */
  readonly thawToldAt?: number;
  /** Between these two times n2 does not run. */
  readonly stall?: readonly [number, number];
}

interface Seen {
  /** Facts about n1: "speaker", "node" or "frozen" where it is dead, or "up". */
  readonly facts: readonly string[];
  /** When n2 first reported that it is frozen, after the last heartbeat. */
  readonly frozenAfterMs: number | undefined;
  readonly connections: number;
  /** How many times n2 asked n3 about the programs of n1. */
  readonly questions: number;
}

function see(world: World, forMs = 4000): Seen {
  const { kubelet, witness, hasNoOther = false, isHeardByOther = false, hasKernel = true } = world;
  const { kernelEndsAt = Number.POSITIVE_INFINITY, thawToldAt } = world;
  const { restartsWithin, returnsAt = Number.POSITIVE_INFINITY, returnsOnce = false, toldAt, stall } = world;
  const membership = new Membership({ node: "n2", session: 1, incarnation: 1, timing: timingFor(), nowMs: 0 });
  const others = hasNoOther ? [] : [{ node: "n3", onLan: true }];
  membership.setPeers([{ node: "n1", onLan: true }, ...others]);
  const facts: string[] = [];
  let frozenAfterMs: number | undefined;
  let connections = 0;
  let questions = 0;
  let pending: readonly Effect[] = [];
  const results = new Map<number, () => void>();
  for (let nowMs = 10; nowMs <= 1000 + forMs; nowMs += 10) {
    if (stall !== undefined && nowMs > stall[0] && nowMs < stall[1]) continue;
    membership.advance(nowMs);
    for (const [atMs, arrive] of results) {
      if (atMs > nowMs) continue;
      results.delete(atMs);
      arrive();
    }
    const told = nowMs === toldAt ? "frozen" : nowMs === thawToldAt ? "speakerDown" : undefined;
    if (told !== undefined)
      membership.receive(
        "n3",
        { kind: "notices", notices: [{ node: "n1", incarnation: 1, revision: 2, state: told }] },
        nowMs,
      );
    if (nowMs % 100 === 0 && (nowMs <= 1000 || (returnsOnce ? nowMs === returnsAt : nowMs >= returnsAt))) {
      const restarts = nowMs === 1000 && restartsWithin !== undefined;
      const phase = restarts ? { phase: "restarting" as const, holdMs: restartsWithin } : {};
      membership.receive("n1", { ...beat, sequence: nowMs, ...phase }, nowMs);
    }
    if (nowMs % 100 === 50 && !hasNoOther) membership.receive("n3", { ...beat, sequence: nowMs, session: 3 }, nowMs);
    for (const effect of pending) {
      if (effect.kind === "askNode" && effect.node === "n1" && hasKernel && nowMs < kernelEndsAt)
        membership.nodeAnswered("n1", nowMs);
      if (effect.kind === "askGateway") membership.gatewayAnswered(nowMs);
      if (effect.kind === "askPrograms") {
        connections += 1;
        const { askedMs } = effect;
        const answer = kubelet(nowMs);
        const after = answer === "answered" ? 10 : kubeletTimeoutMs;
        if (answer !== undefined)
          results.set(nowMs + after, () => membership.programsAnswered("n1", askedMs, answer, nowMs + after));
      }
      if (effect.kind !== "send" || effect.message.kind !== "question" || effect.to !== "n3") continue;
      const { about, of } = effect.message;
      if (of === "speaker") {
        const said = isHeardByOther ? { silentMs: 20, tried: false } : { silentMs: 300, tried: true };
        membership.receive("n3", { kind: "answer", about, of, ...said }, nowMs);
      }
      if (of === "programs") questions += 1;
      if (of === "programs" && witness !== undefined)
        results.set(nowMs + kubeletTimeoutMs + 10, () =>
          membership.receive("n3", { kind: "answer", about, of, ...witness }, nowMs + kubeletTimeoutMs + 10),
        );
    }
    pending = [...membership.take()];
    for (const effect of pending) {
      if (effect.kind !== "fact" || !("node" in effect.fact) || effect.fact.node !== "n1") continue;
      const { fact } = effect;
      if (fact.kind === "peerUp") facts.push("up");
      else if (fact.frozen === true) {
        facts.push("frozen");
        frozenAfterMs ??= nowMs - 1000;
      } else facts.push(fact.nodeDead ? "node" : "speaker");
    }
  }
  return { facts, frozenAfterMs, connections, questions };
}

const always = (answer: ProgramsAnswer | undefined) => () => answer;
const silent = { silentMs: neverMs - 1, tried: true };
const cannotKnow = { silentMs: neverMs, tried: false };
const answered = { silentMs: 0, tried: false };

/** The first connection shows the one, the second the other, and so on. */
function alternately(one: ProgramsAnswer, other: ProgramsAnswer): World["kubelet"] {
  let connections = 0;
  return () => (connections++ % 2 === 0 ? one : other);
}

interface Row {
  readonly name: string;
  readonly world: World;
  readonly facts: readonly string[];
  /** It leaves the data path at most so long after its last heartbeat. */
  readonly frozenWithinMs?: number;
}

const rows: readonly Row[] = [
  {
    name: "is frozen if its kubelet does not answer, and another node finds the same",
    world: { kubelet: always("silent"), witness: silent },
    facts: ["speaker", "frozen"],
    frozenWithinMs: 800,
  },
  {
    name: "is frozen if there is no other node to ask",
    world: { kubelet: always("silent"), hasNoOther: true },
    facts: ["speaker", "frozen"],
    frozenWithinMs: 800,
  },
  {
    name: "is frozen a little later if no other node can say",
    world: { kubelet: always("silent"), witness: cannotKnow },
    facts: ["speaker", "frozen"],
    frozenWithinMs: 1200,
  },
  {
    name: "is frozen a little later if the other node says nothing, as one of an earlier version",
    world: { kubelet: always("silent") },
    facts: ["speaker", "frozen"],
    frozenWithinMs: 1200,
  },
  {
    name: "is not if its kubelet answers",
    world: { kubelet: always("answered"), witness: silent },
    facts: ["speaker"],
  },
  {
    name: "is not if its kubelet answers another node",
    world: { kubelet: always("silent"), witness: answered },
    facts: ["speaker"],
  },
  {
    name: "is not if no connection can be made: the kubelet is not running, or a firewall blocks it",
    world: { kubelet: always("unknown"), witness: cannotKnow },
    facts: ["speaker"],
  },
  {
    name: "is not if there is no connection, whatever another node finds",
    world: { kubelet: always("unknown"), witness: silent },
    facts: ["speaker"],
  },
  {
    name: "is not if what came of the connections is not known",
    world: { kubelet: always(undefined), witness: silent },
    facts: ["speaker"],
  },
  {
    name: "is not if no two connections in a row are silent: a kubelet that starts and ends again and again",
    world: { kubelet: alternately("silent", "unknown"), witness: silent },
    facts: ["speaker"],
  },
  {
    name: "is not if its kubelet is slow once",
    world: { kubelet: (nowMs) => (nowMs < 1250 ? "silent" : "answered"), witness: silent },
    facts: ["speaker"],
  },
  {
    name: "is frozen later if its programs stop later than its speaker",
    world: { kubelet: (nowMs) => (nowMs < 2000 ? "answered" : "silent"), witness: silent },
    facts: ["speaker", "frozen"],
  },
  {
    name: "is alive while another node hears it, however slow its kubelet is",
    world: { kubelet: always("silent"), witness: silent, isHeardByOther: true },
    facts: [],
  },
  {
    name: "is alive while its speaker restarts, however slow its kubelet is",
    world: { kubelet: always("silent"), witness: silent, restartsWithin: 5000 },
    facts: [],
  },
  {
    name: "is frozen if another node says so, although its kernel answers this one",
    world: { kubelet: always(undefined), toldAt: 1300 },
    facts: ["frozen"],
    frozenWithinMs: 350,
  },
  {
    name: "is not by connections that were opened before it was heard for the last time",
    world: {
      kubelet: (nowMs) => (nowMs < 1400 ? "silent" : "unknown"),
      witness: silent,
      returnsAt: 1400,
      returnsOnce: true,
    },
    facts: ["speaker"],
  },
  {
    name: "is not by connections that were open while this node did not run",
    world: { kubelet: (nowMs) => (nowMs < 1900 ? "silent" : "unknown"), hasNoOther: true, stall: [1480, 1900] },
    facts: ["speaker"],
  },
  {
    name: "is dead with its kernel if this is silent",
    world: { kubelet: always("unknown"), witness: cannotKnow, hasKernel: false },
    facts: ["node"],
  },
  {
    name: "returns when its speaker is heard again",
    world: { kubelet: always("silent"), witness: silent, returnsAt: 3000 },
    facts: ["speaker", "frozen", "up"],
  },
];

describe("a silent peer whose kernel answers", () => {
  for (const { name, world, facts, frozenWithinMs } of rows) {
    test(name, () => {
      const seen = see(world);
      assert.deepEqual(seen.facts, facts);
      if (frozenWithinMs === undefined) return;
      assert.ok(seen.frozenAfterMs !== undefined && seen.frozenAfterMs <= frozenWithinMs, `${seen.frozenAfterMs} ms`);
    });
  }

  test("is dead with its kernel if this falls silent after it was frozen, as when its power is switched off", () => {
    const kubelet = (nowMs: number): ProgramsAnswer => (nowMs < 4000 ? "silent" : "unknown");
    const seen = see({ kubelet, witness: silent, kernelEndsAt: 4000 }, 10_000);
    assert.deepEqual(seen.facts, ["speaker", "frozen", "node"]);
  });

  test("is not frozen again when another node says that its kubelet answers, by what was silent before", () => {
    const kubelet = (nowMs: number): ProgramsAnswer => (nowMs < 4000 ? "silent" : "answered");
    for (const toldAt of [undefined, 1500]) {
      const told = toldAt === undefined ? {} : { toldAt };
      const seen = see({ kubelet, witness: silent, thawToldAt: 5000, ...told }, 15_000);
      assert.deepEqual(seen.facts, ["speaker", "frozen", "speaker"]);
    }
  });

  test("returns when its kubelet answers again, although its speaker is not heard", () => {
    const kubelet = (nowMs: number): ProgramsAnswer => (nowMs < 3000 ? "silent" : "answered");
    assert.deepEqual(see({ kubelet, witness: silent }, 15_000).facts, ["speaker", "frozen", "speaker"]);
  });
});

describe("connections to kubelets", () => {
  const limits: readonly { readonly name: string; readonly world: World; readonly most: number }[] = [
    { name: "one every two seconds while it answers", world: { kubelet: always("answered") }, most: 16 },
    { name: "a few, and then the same, if there is none", world: { kubelet: always("unknown") }, most: 20 },
    { name: "fewer while it is known to be frozen", world: { kubelet: always("silent"), witness: silent }, most: 10 },
    {
      name: "none to a peer that another node hears at once",
      world: { kubelet: always("answered"), isHeardByOther: true },
      most: 16,
    },
  ];
  for (const { name, world, most } of limits)
    test(name, () => {
      const { connections } = see(world, 30_000);
      assert.ok(connections <= most, `${connections} connections`);
    });

  test("other nodes are not asked as long as it answers, or there is none", () => {
    for (const answer of ["answered", "unknown"] as const)
      assert.ok(see({ kubelet: always(answer), witness: cannotKnow }, 30_000).questions <= 4, answer);
  });

  test("none to a peer that is heard", () => {
    assert.equal(see({ kubelet: always("silent"), returnsAt: 0 }).connections, 0);
  });
});

describe("a witness that is asked about the programs of a node", () => {
  const said: readonly { readonly answer: ProgramsAnswer; readonly expected: readonly [number, boolean] }[] = [
    { answer: "answered", expected: [0, false] },
    { answer: "silent", expected: [neverMs - 1, true] },
    { answer: "unknown", expected: [neverMs, false] },
  ];
  for (const { answer, expected } of said) {
    test(`opens one connection, and tells all who asked: ${answer}`, () => {
      const membership = new Membership({ node: "n2", session: 1, incarnation: 1, timing: timingFor(), nowMs: 0 });
      membership.setPeers(["n1", "n3", "n4"].map((node) => ({ node, onLan: true })));
      const asked: number[] = [];
      const answers: unknown[] = [];
      const take = (): void => {
        for (const effect of membership.take()) {
          if (effect.kind === "askPrograms") asked.push(effect.askedMs);
          if (effect.kind === "send" && effect.message.kind === "answer")
            answers.push([effect.to, effect.message.of, effect.message.silentMs, effect.message.tried]);
        }
      };
      for (const [from, nowMs] of [
        ["n3", 10],
        ["n4", 20],
        ["n3", 30],
      ] as const) {
        membership.advance(nowMs);
        membership.receive(from, { kind: "question", about: "n1", of: "programs" }, nowMs);
        take();
      }
      assert.deepEqual(asked, [10]);
      membership.advance(40);
      membership.programsAnswered("n1", 10, answer, 40);
      take();
      const expectedAnswers = ["n3", "n4"].map((to) => [to, "programs", ...expected]);
      assert.deepEqual(answers, expectedAnswers);
      membership.receive("n3", { kind: "question", about: "n9", of: "programs" }, 40);
      take();
      assert.deepEqual(asked, [10], "of a node that is not in the cluster it knows nothing");
      assert.deepEqual(answers.at(-1), ["n3", "programs", neverMs, false]);
    });
  }
});
