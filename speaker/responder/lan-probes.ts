import { type LanProbe, readAnswer } from "./lan-probe.ts";

/** Which devices on the LAN can be asked. */
export interface LanProbeTargets {
  readonly gateways: readonly LanProbe[];
  /** By name of another node: its address. Only nodes on a LAN of this one. */
  readonly nodes: ReadonlyMap<string, LanProbe>;
}

/** Who has answered a probe. */
export type LanAnswer =
  | { readonly kind: "gateway" }
  | { readonly kind: "node"; readonly node: string }
  /** A device has answered for an address that the node announces: the node itself, if the frame has one of its hardware addresses. */
  | { readonly kind: "announcement"; readonly node: string };

/** After this long an answer is no longer waited for. A device on a LAN answers within milliseconds. */
const waitMs = 1_000;

/** Most nodes have one or two interfaces on the LAN. */
const maxMacs = 4;

/** Asks devices on the LAN whether they are there, and recognizes their answers. */
export class LanProbes {
  /** `to`: a hardware address; undefined: all devices. */
  readonly #send: (probe: LanProbe, to?: Uint8Array) => void;
  #targets: LanProbeTargets = { gateways: [], nodes: new Map() };
  #macs: ReadonlyMap<string, readonly Uint8Array[]> = new Map();
  /** By address: what an answer says, and until when it counts. More than one thing where a node is the gateway of others, or a witness. */
  readonly #asked = new Map<string, { readonly answers: readonly LanAnswer[]; readonly untilMs: number }>();

  constructor(send: (probe: LanProbe, to?: Uint8Array) => void) {
    this.#send = send;
  }

  /** `macs`: by name of another node, its hardware addresses, 6 bytes each. */
  set(targets: LanProbeTargets, macs: ReadonlyMap<string, readonly Uint8Array[]> = new Map()): void {
    this.#targets = targets;
    this.#macs = macs;
  }

  askGateways(nowMs: number): void {
    for (const probe of this.#targets.gateways) this.#ask(probe, { kind: "gateway" }, nowMs);
  }

  /** Does nothing for a node that is not on a LAN of this one. */
  askNode(node: string, nowMs: number): void {
    const probe = this.#targets.nodes.get(node);
    if (probe !== undefined) this.#ask(probe, { kind: "node", node }, nowMs);
  }

  /** The same, but by frames to the hardware addresses of the node, which other devices ignore. */
  findNode(node: string, nowMs: number): void {
    const probe = this.#targets.nodes.get(node);
    if (probe === undefined) return;
    const macs = this.#macs.get(node) ?? [];
    if (macs.length === 0) return;
    this.#expect(probe, { kind: "node", node }, nowMs);
    for (const mac of macs.slice(0, maxMacs)) this.#send(probe, mac);
  }

  /** Asks the LAN about an address of a Service that the node announces. */
  askAnnounced(node: string, probe: LanProbe, nowMs: number): void {
    this.#ask(probe, { kind: "announcement", node }, nowMs);
  }

  /**
   * Who answers by this frame; empty: it does not answer a probe. Costs nothing while no answer is waited for. Any frame from a gateway shows that
   * it is heard. From a node only a reply counts: it shows that the node also receives.
   */
  answersIn(frame: Uint8Array, nowMs: number): readonly LanAnswer[] {
    if (this.#asked.size === 0) return noAnswers;
    const answer = readAnswer(frame);
    if (answer === undefined) return noAnswers;
    const key = answer.address.join(".");
    const asked = this.#asked.get(key);
    if (asked === undefined) return noAnswers;
    const { answers, untilMs } = asked;
    const waiting = answer.isReply ? [] : answers.filter(({ kind }) => kind === "node");
    if (waiting.length === 0) this.#asked.delete(key);
    else this.#asked.set(key, { answers: waiting, untilMs });
    return nowMs <= untilMs ? answers.filter((one) => !waiting.includes(one)) : noAnswers;
  }

  #ask(probe: LanProbe, answer: LanAnswer, nowMs: number): void {
    this.#expect(probe, answer, nowMs);
    this.#send(probe);
  }

  #expect(probe: LanProbe, answer: LanAnswer, nowMs: number): void {
    for (const [key, { untilMs }] of this.#asked) if (untilMs < nowMs) this.#asked.delete(key);
    const key = probe.target.join(".");
    const others = (this.#asked.get(key)?.answers ?? []).filter((one) => !isSameAnswer(one, answer));
    this.#asked.set(key, { answers: [...others, answer], untilMs: nowMs + waitMs });
  }
}

const noAnswers: readonly LanAnswer[] = [];

function isSameAnswer(left: LanAnswer, right: LanAnswer): boolean {
  return left.kind === right.kind && (left.kind === "gateway" || right.kind === "gateway" || left.node === right.node);
}
