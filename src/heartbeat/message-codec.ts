import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { readAddress, readClaim, readName, writeAddress, writeClaim, writeName } from "./message-fields.ts";
import {
  type Answer,
  type ClaimEntry,
  type ClaimsMessage,
  type Conflict,
  type Heartbeat,
  type Message,
  maxClaimEntries,
  maxNotices,
  type NodeState,
  type Notice,
  type Notices,
  type Phase,
  type Question,
  type QuestionSubject,
} from "./messages.ts";

/**
 * A payload is a row of messages: kind 1, length 2, body. A reader skips kinds and flags that it does not know, and what follows in a body after the
 * fields that it knows. So a later version may add kinds, flags that say nothing where they are 0, and fields at the end of a body; it must not change
 * what is here.
 */
const kinds = { heartbeat: 1, claims: 2, question: 3, answer: 4, notices: 5, conflict: 6 } as const satisfies Record<
  Message["kind"],
  number
>;

const phases: readonly Phase[] = ["running", "leaving", "restarting", "left"];
const states: readonly NodeState[] = ["alive", "nodeDead", "speakerDown", "unreachable", "frozen"];
const subjects: readonly QuestionSubject[] = ["speaker", "kernel", "programs"];
const entryStates: readonly ClaimEntry["state"][] = ["held", "released", "passed"];

/** Bits of the flags of a heartbeat. */
const bits = { answer: 1, wanted: 2, joined: 4, isolated: 8, ipv4: 16, ipv6: 32, onlyAsFirst: 64 } as const;

/** Bits of the flags of an answer. `known`: it says whether `onlyAsFirst`. */
const answerBits = { tried: 1, known: 2, onlyAsFirst: 4 } as const;

/**
 * Writes the message into the buffer from `at` on, and returns where the next one can be written. Throws RangeError where the buffer is too
 * short, or for what a message may not contain (messages.ts): that is a bug of the sender.
 */
export function encodeMessage(message: Message, into: Uint8Array, at: number): number {
  const writer = new ByteWriter(into, at);
  writer.uint8(kinds[message.kind]);
  const lengthAt = writer.at;
  writer.uint16(0);
  const bodyAt = writer.at;
  writeBody(writer, message);
  writer.uint16At(lengthAt, writer.at - bodyAt);
  return writer.at;
}

/**
 * The messages in a payload, but for those of kinds that this version does not know or with values that it does not know. `malformed`: it is
 * not such a payload; no message of it should be used. Never throws.
 */
export function decodeMessages(payload: Uint8Array): readonly Message[] | "malformed" {
  const reader = new ByteReader(payload);
  const messages: Message[] = [];
  while (!reader.atEnd) {
    const kind = reader.uint8();
    const body = new ByteReader(reader.bytes(reader.uint16()));
    if (reader.overrun) return "malformed";
    const message = readBody(body, kind);
    if (body.overrun || message === "malformed") return "malformed";
    if (message !== undefined) messages.push(message);
  }
  return messages;
}

function writeBody(writer: ByteWriter, message: Message): void {
  switch (message.kind) {
    case "heartbeat":
      writeHeartbeat(writer, message);
      break;
    case "claims":
      writeClaims(writer, message);
      break;
    case "question":
      writeName(writer, message.about);
      writer.uint8(subjects.indexOf(message.of));
      break;
    case "answer":
      writeName(writer, message.about);
      writer.uint8(subjects.indexOf(message.of));
      writer.uint16(message.silentMs);
      writer.uint8(answerFlagsOf(message));
      break;
    case "notices":
      writeNotices(writer, message);
      break;
    case "conflict":
      writeAddress(writer, message.address);
      writeName(writer, message.holder);
      writeClaim(writer, message.claim);
  }
}

/** Undefined: of a kind, or with a value, of a later version. */
type Decoded<Kind> = Kind | "malformed" | undefined;

function readBody(reader: ByteReader, kind: number): Decoded<Message> {
  switch (kind) {
    case kinds.heartbeat:
      return readHeartbeat(reader);
    case kinds.claims:
      return readClaims(reader);
    case kinds.question:
      return readQuestion(reader);
    case kinds.answer:
      return readAnswer(reader);
    case kinds.notices:
      return readNotices(reader);
    case kinds.conflict:
      return readConflict(reader);
    default:
      return undefined;
  }
}

function answerFlagsOf({ tried, onlyAsFirst }: Answer): number {
  return (
    (tried ? answerBits.tried : 0) |
    (onlyAsFirst === undefined ? 0 : answerBits.known) |
    (onlyAsFirst === true ? answerBits.onlyAsFirst : 0)
  );
}

function writeHeartbeat(writer: ByteWriter, message: Heartbeat): void {
  writer.uint48(message.session);
  writer.uint32(message.sequence);
  writer.uint48(message.incarnation);
  writer.uint16(message.intervalMs);
  writer.uint8(flagsOf(message));
  writer.uint8(phases.indexOf(message.phase));
  writer.uint16(message.holdMs);
  writer.uint48(message.peerSession);
  writer.uint16(message.heardMs);
  writer.uint48(message.deadIncarnation);
  writer.uint32(message.claimsVersion);
  writer.uint32(message.claimsHave);
}

function flagsOf({ answer, wanted, joined, isolated, ipv4, ipv6, onlyAsFirst }: Heartbeat): number {
  return (
    (answer ? bits.answer : 0) |
    (wanted ? bits.wanted : 0) |
    (joined ? bits.joined : 0) |
    (isolated ? bits.isolated : 0) |
    (ipv4 ? bits.ipv4 : 0) |
    (ipv6 ? bits.ipv6 : 0) |
    (onlyAsFirst ? bits.onlyAsFirst : 0)
  );
}

function readHeartbeat(reader: ByteReader): Decoded<Heartbeat> {
  const session = reader.uint48();
  const sequence = reader.uint32();
  const incarnation = reader.uint48();
  const intervalMs = reader.uint16();
  const flags = reader.uint8();
  const phase = phases[reader.uint8()];
  const holdMs = reader.uint16();
  const peerSession = reader.uint48();
  const heardMs = reader.uint16();
  const deadIncarnation = reader.uint48();
  const claimsVersion = reader.uint32();
  const claimsHave = reader.uint32();
  if (phase === undefined) return undefined;
  return {
    kind: "heartbeat",
    session,
    sequence,
    incarnation,
    intervalMs,
    answer: (flags & bits.answer) !== 0,
    wanted: (flags & bits.wanted) !== 0,
    joined: (flags & bits.joined) !== 0,
    isolated: (flags & bits.isolated) !== 0,
    onlyAsFirst: (flags & bits.onlyAsFirst) !== 0,
    ipv4: (flags & bits.ipv4) !== 0,
    ipv6: (flags & bits.ipv6) !== 0,
    phase,
    holdMs,
    peerSession,
    heardMs,
    deadIncarnation,
    claimsVersion,
    claimsHave,
  };
}

function writeClaims(writer: ByteWriter, { session, base, version, entries }: ClaimsMessage): void {
  if (entries.length > maxClaimEntries) throw new RangeError(`${entries.length} claims in one message`);
  writer.uint48(session);
  writer.uint32(base);
  writer.uint32(version);
  writer.uint8(entries.length);
  for (const entry of entries) {
    writer.uint8(entryStates.indexOf(entry.state));
    writeAddress(writer, entry.address);
    if (entry.state === "held") writeClaim(writer, entry.claim);
  }
}

function readClaims(reader: ByteReader): Decoded<ClaimsMessage> {
  const session = reader.uint48();
  const base = reader.uint32();
  const version = reader.uint32();
  const count = reader.uint8();
  if (count > maxClaimEntries || base >= version) return "malformed";
  const entries: ClaimEntry[] = [];
  for (let index = 0; index < count; index++) {
    const state = entryStates[reader.uint8()];
    // How long it is cannot be known, so what follows cannot be read either.
    if (state === undefined) return undefined;
    const address = readAddress(reader);
    if (address === undefined) return "malformed";
    entries.push(state === "held" ? { state, address, claim: readClaim(reader) } : { state, address });
  }
  return { kind: "claims", session, base, version, entries };
}

function readQuestion(reader: ByteReader): Decoded<Question> {
  const about = readName(reader);
  const of = subjects[reader.uint8()];
  if (about === undefined) return "malformed";
  return of === undefined ? undefined : { kind: "question", about, of };
}

function readAnswer(reader: ByteReader): Decoded<Answer> {
  const about = readName(reader);
  const of = subjects[reader.uint8()];
  const silentMs = reader.uint16();
  const flags = reader.uint8();
  if (about === undefined) return "malformed";
  if (of === undefined) return undefined;
  const tried = (flags & answerBits.tried) !== 0;
  const isKnown = (flags & answerBits.known) !== 0;
  const onlyAsFirst = isKnown ? { onlyAsFirst: (flags & answerBits.onlyAsFirst) !== 0 } : {};
  return { kind: "answer", about, of, silentMs, tried, ...onlyAsFirst };
}

function writeNotices(writer: ByteWriter, { notices }: Notices): void {
  if (notices.length > maxNotices) throw new RangeError(`${notices.length} notices in one message`);
  writer.uint8(notices.length);
  for (const { node, incarnation, revision, state } of notices) {
    writeName(writer, node);
    writer.uint48(incarnation);
    writer.uint8(revision);
    writer.uint8(states.indexOf(state));
  }
}

function readNotices(reader: ByteReader): Decoded<Notices> {
  const count = reader.uint8();
  if (count > maxNotices) return "malformed";
  const notices: Notice[] = [];
  for (let index = 0; index < count; index++) {
    const node = readName(reader);
    if (node === undefined) return "malformed";
    const incarnation = reader.uint48();
    const revision = reader.uint8();
    const state = states[reader.uint8()];
    if (state !== undefined) notices.push({ node, incarnation, revision, state });
  }
  return { kind: "notices", notices };
}

function readConflict(reader: ByteReader): Decoded<Conflict> {
  const address = readAddress(reader);
  const holder = readName(reader);
  const claim = readClaim(reader);
  return address === undefined || holder === undefined ? "malformed" : { kind: "conflict", address, holder, claim };
}
