import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { decodeMessages, encodeMessage } from "../../../../src/heartbeat/message-codec.ts";
import {
  type Claim,
  type ClaimEntry,
  type Heartbeat,
  type Message,
  maxClaimEntries,
  maxNoticeCharacters,
  maxNotices,
  maxUint8,
  maxUint16,
  maxUint32,
  maxUint48,
  type Notice,
} from "../../../../src/heartbeat/messages.ts";
import { maxPacketLength, maxPayloadLength } from "../../../../src/heartbeat/packet-header.ts";
import { addressFromBytes, formatAddress } from "../../../../src/ip/address.ts";

function encode(...messages: readonly Message[]): Uint8Array {
  const buffer = new Uint8Array(8_192);
  let at = 0;
  for (const message of messages) at = encodeMessage(message, buffer, at);
  return buffer.slice(0, at);
}

const longestName = "n".repeat(253);
/** What is left for a payload in a packet of the node with the longest name. */
const smallestPayload = maxPayloadLength(Buffer.from(longestName));

const claim: Claim = { createdSeconds: maxUint32, term: maxUint48, epoch: maxUint32, rank: maxUint8 };
const heartbeat: Heartbeat = {
  kind: "heartbeat",
  session: maxUint48,
  sequence: maxUint32,
  incarnation: 3,
  intervalMs: 100,
  answer: true,
  wanted: false,
  joined: true,
  isolated: false,
  onlyAsFirst: true,
  ipv4: true,
  ipv6: false,
  phase: "restarting",
  holdMs: maxUint16,
  peerSession: 1,
  heardMs: 2,
  deadIncarnation: 0,
  claimsVersion: 4,
  claimsHave: 5,
};

const uint = (max: number) =>
  fc.oneof(
    fc.maxSafeNat().map((number) => number % (max + 1)),
    fc.constantFrom(0, 1, max),
  );
const nodeName = fc.stringMatching(/^[a-z0-9]([-.a-z0-9]{0,40}[a-z0-9])?$/);
const address = fc
  .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
  .filter((bytes) => bytes.length === 4 || bytes.some((byte, index) => index < 10 && byte !== 0))
  .map((bytes) => formatAddress(addressFromBytes(bytes)));
const anyClaim = fc.record({
  createdSeconds: uint(maxUint32),
  term: uint(maxUint48),
  epoch: uint(maxUint32),
  rank: uint(maxUint8),
});
const entry: fc.Arbitrary<ClaimEntry> = fc.oneof(
  fc.record({ state: fc.constant("held" as const), address, claim: anyClaim }),
  fc.record({ state: fc.constantFrom("released" as const, "passed" as const), address }),
);
const subject = fc.constantFrom("speaker" as const, "kernel" as const, "programs" as const);
const notice: fc.Arbitrary<Notice> = fc.record({
  node: nodeName,
  incarnation: uint(maxUint48),
  revision: uint(maxUint8),
  state: fc.constantFrom(
    "alive" as const,
    "nodeDead" as const,
    "speakerDown" as const,
    "unreachable" as const,
    "frozen" as const,
  ),
});
const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.record({
    kind: fc.constant("heartbeat" as const),
    session: uint(maxUint48),
    sequence: uint(maxUint32),
    incarnation: uint(maxUint48),
    intervalMs: uint(maxUint16),
    answer: fc.boolean(),
    wanted: fc.boolean(),
    joined: fc.boolean(),
    isolated: fc.boolean(),
    onlyAsFirst: fc.boolean(),
    ipv4: fc.boolean(),
    ipv6: fc.boolean(),
    phase: fc.constantFrom("running" as const, "leaving" as const, "restarting" as const, "left" as const),
    holdMs: uint(maxUint16),
    peerSession: uint(maxUint48),
    heardMs: uint(maxUint16),
    deadIncarnation: uint(maxUint48),
    claimsVersion: uint(maxUint32),
    claimsHave: uint(maxUint32),
  }),
  fc
    .record({
      kind: fc.constant("claims" as const),
      session: uint(maxUint48),
      base: uint(maxUint32 - 1),
      ahead: uint(1_000),
      entries: fc.array(entry, { maxLength: maxClaimEntries }),
    })
    .map(({ ahead, ...rest }) => ({ ...rest, version: Math.min(maxUint32, rest.base + 1 + ahead) })),
  fc.record({ kind: fc.constant("question" as const), about: nodeName, of: subject }),
  fc.record(
    {
      kind: fc.constant("answer" as const),
      about: nodeName,
      of: subject,
      silentMs: uint(maxUint16),
      tried: fc.boolean(),
      onlyAsFirst: fc.boolean(),
    },
    { requiredKeys: ["kind", "about", "of", "silentMs", "tried"] },
  ),
  fc.record({ kind: fc.constant("notices" as const), notices: fc.array(notice, { maxLength: maxNotices }) }),
  fc.record({ kind: fc.constant("conflict" as const), address, holder: nodeName, claim: anyClaim }),
);

test("each message is what it was after it was sent", () => {
  fc.assert(
    fc.property(fc.array(anyMessage, { maxLength: 4 }), (messages) => {
      // Records of fast-check have no prototype.
      assert.deepEqual(decodeMessages(encode(...messages)), structuredClone(messages));
    }),
    { numRuns: 2_000 },
  );
});

describe("the longest messages fit into a packet, also of the node with the longest name", () => {
  const entries = Array.from({ length: maxClaimEntries }, (_, index): ClaimEntry => {
    return { state: "held", address: `2001:db8:ffff:ffff:ffff:ffff:ffff:${(0x1000 + index).toString(16)}`, claim };
  });
  const names = Array.from({ length: maxNotices }, (_, index) =>
    "n".repeat(Math.floor((maxNoticeCharacters + index) / maxNotices)),
  );
  const cases: readonly Message[] = [
    heartbeat,
    { kind: "claims", session: maxUint48, base: 1, version: maxUint32, entries },
    { kind: "question", about: longestName, of: "kernel" },
    { kind: "answer", about: longestName, of: "kernel", silentMs: maxUint16, tried: true },
    {
      kind: "notices",
      notices: names.map((node) => ({ node, incarnation: maxUint48, revision: maxUint8, state: "nodeDead" })),
    },
    { kind: "conflict", address: "2001:db8::ffff", holder: longestName, claim },
  ];
  for (const message of cases) {
    test(message.kind, () => assert.ok(encode(message).length <= smallestPayload, `${encode(message).length} bytes`));
  }

  test("the names in the notices are as long as they may be", () =>
    assert.equal(names.join("").length, maxNoticeCharacters));
});

describe("a later version", () => {
  const body = (...bytes: readonly number[]) => Uint8Array.from(bytes);
  const join = (...parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
  const question: Message = { kind: "question", about: "n1", of: "speaker" };

  test("may send kinds of messages that are not known", () => {
    const unknown = body(99, 0, 3, 1, 2, 3);
    assert.deepEqual(decodeMessages(join(unknown, encode(heartbeat), unknown, encode(question))), [
      heartbeat,
      question,
    ]);
  });

  test("may add fields at the end of a message", () => {
    const longer = join(encode(heartbeat), body(1, 2, 3, 4, 5));
    new DataView(longer.buffer).setUint16(1, longer.length - 3);
    assert.deepEqual(decodeMessages(join(longer, encode(question))), [heartbeat, question]);
  });

  test("may add phases, states of nodes and states of claims: what has one is skipped", () => {
    const phase = encode(heartbeat);
    phase[3 + 6 + 4 + 6 + 2 + 1] = 77;
    assert.deepEqual(decodeMessages(join(phase, encode(question))), [question]);
    const notices = encode({
      kind: "notices",
      notices: [
        { node: "a", incarnation: 1, revision: 0, state: "alive" },
        { node: "b", incarnation: 2, revision: 0, state: "alive" },
      ],
    });
    notices[3 + 1 + 2 + 6 + 1] = 77;
    assert.deepEqual(decodeMessages(notices), [
      { kind: "notices", notices: [{ node: "b", incarnation: 2, revision: 0, state: "alive" }] },
    ]);
    const claims = encode({
      kind: "claims",
      session: 1,
      base: 0,
      version: 1,
      entries: [{ state: "released", address: "192.0.2.1" }],
    });
    claims[3 + 6 + 4 + 4 + 1] = 77;
    assert.deepEqual(decodeMessages(join(claims, encode(question))), [question]);
  });
});

describe("an earlier version, which does not know whether a node announces addresses only as their first owner,", () => {
  const answer: Message = { kind: "answer", about: "n1", of: "speaker", silentMs: 300, tried: true };
  const cases: readonly {
    readonly message: Message;
    readonly said: Message;
    readonly flagsAt: number;
    readonly bits: number;
    /** The message as that version wrote it. */
    readonly earlier: string;
  }[] = [
    {
      message: { ...heartbeat, onlyAsFirst: false },
      said: heartbeat,
      flagsAt: 3 + 6 + 4 + 6 + 2,
      bits: 64,
      earlier: "01002cffffffffffffffffffff00000000000300641502ffff00000000000100020000000000000000000400000005",
    },
    {
      message: answer,
      said: { ...answer, onlyAsFirst: true },
      flagsAt: 3 + 3 + 1 + 2,
      bits: 6,
      earlier: "040007026e3100012c01",
    },
  ];
  for (const { message, said, flagsAt, bits, earlier } of cases) {
    test(`does not say so: ${message.kind}`, () =>
      assert.deepEqual(decodeMessages(Buffer.from(earlier, "hex")), [message]));

    test(`finds everything else where it was: ${message.kind}`, () => {
      const bytes = encode(said);
      bytes[flagsAt] = (bytes[flagsAt] ?? 0) & ~bits;
      assert.equal(Buffer.from(bytes).toString("hex"), earlier);
    });

    test(`a later one may set more flags: ${message.kind}`, () => {
      const bytes = encode(said);
      bytes[flagsAt] = (bytes[flagsAt] ?? 0) | 128;
      assert.deepEqual(decodeMessages(bytes), [said]);
    });
  }
});

describe("bytes that are not messages", () => {
  test("at random are malformed or skipped, and nothing is thrown", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: maxPacketLength }), (bytes) => {
        const messages = decodeMessages(bytes);
        assert.ok(messages === "malformed" || Array.isArray(messages));
      }),
      { numRuns: 5_000 },
    );
  });

  test("that were messages before a change are malformed, or messages that can be sent again", () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(anyMessage, fc.array(change, { maxLength: 4 }), fc.nat(), (message, changes, cut) => {
        const bytes = encode(message);
        for (const [index, value] of changes) bytes[index % bytes.length] = value;
        const messages = decodeMessages(cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes);
        if (messages !== "malformed") assert.deepEqual(decodeMessages(encode(...messages)), messages);
      }),
      { numRuns: 5_000 },
    );
  });

  test("a message that is cut off anywhere is malformed", () => {
    for (const message of [
      heartbeat,
      { kind: "answer", about: "n1", of: "speaker", silentMs: 0, tried: false, onlyAsFirst: true },
    ] as const) {
      const bytes = encode(message);
      for (let length = 1; length < bytes.length; length++)
        assert.equal(decodeMessages(bytes.subarray(0, length)), "malformed", `${message.kind}: ${length} bytes`);
    }
    assert.deepEqual(decodeMessages(new Uint8Array(0)), []);
  });

  const refused: readonly (readonly [string, readonly number[]])[] = [
    ["an empty name", [3, 0, 1, 0]],
    ["a name with a slash", [3, 0, 4, 3, 97, 47, 97]],
    ["a name that ends with a dash", [3, 0, 3, 2, 97, 45]],
    ["a name with capital letters", [3, 0, 3, 2, 78, 49]],
    ["an address of another length", [6, 0, 23, 5, 1, 2, 3, 4, 5, 1, 97, ...new Array<number>(15).fill(0)]],
    [
      "an IPv4 address within an IPv6 one",
      [6, 0, 34, 16, ...new Array<number>(10).fill(0), 255, 255, 192, 0, 2, 1, 1, 97, ...new Array<number>(15).fill(0)],
    ],
    ["more claims than there may be", [2, 0, 15, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, maxClaimEntries + 1]],
    ["claims whose version does not rise", [2, 0, 15, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 0]],
    ["more notices than there may be", [5, 0, 1, maxNotices + 1]],
  ];
  for (const [name, bytes] of refused)
    test(name, () => assert.equal(decodeMessages(Uint8Array.from(bytes)), "malformed"));
});

describe("a sender's bug is a RangeError", () => {
  const entry: ClaimEntry = { state: "released", address: "192.0.2.1" };
  const cases: readonly (readonly [string, Message])[] = [
    ["a number that is too large", { ...heartbeat, heardMs: maxUint16 + 1 }],
    ["a number below 0", { ...heartbeat, incarnation: -1 }],
    ["a text that is not an address", { kind: "conflict", address: "n1", holder: "n1", claim }],
    ["a name that is too long", { kind: "question", about: `${longestName}n`, of: "speaker" }],
    ["a name that no node has", { kind: "question", about: "", of: "speaker" }],
    [
      "too many claims",
      { kind: "claims", session: 1, base: 0, version: 1, entries: new Array(maxClaimEntries + 1).fill(entry) },
    ],
    [
      "too many notices",
      {
        kind: "notices",
        notices: new Array(maxNotices + 1).fill({ node: "n1", incarnation: 0, revision: 0, state: "alive" }),
      },
    ],
  ];
  for (const [name, message] of cases) test(name, () => assert.throws(() => encode(message), RangeError));

  test("a buffer that is too short", () => {
    const { length } = encode(heartbeat);
    for (const short of [0, 1, 2, 3, 10, length - 1])
      assert.throws(() => encodeMessage(heartbeat, new Uint8Array(short), 0), RangeError, `${short} bytes`);
    assert.throws(
      () => encodeMessage({ kind: "question", about: "n1", of: "speaker" }, new Uint8Array(5), 0),
      RangeError,
    );
  });
});
