import type { Effect, Fact } from "../../../../../speaker/membership/effects.ts";
import type { ProgramsAnswer } from "../../../../../speaker/membership/inputs.ts";
import type { MembershipPeer } from "../../../../../speaker/membership/stake.ts";
import type { Timing } from "../../../../../speaker/membership/timing.ts";
import type { Message } from "../../../../../src/heartbeat/messages.ts";
import { Api } from "./api.ts";
import { Attacker } from "./attacker.ts";
import { asEarlier } from "./earlier-version.ts";
import { EventQueue } from "./event-queue.ts";
import { Network, type NetworkNoise } from "./network.ts";
import { Random } from "./random.ts";
import { SimulatedNode } from "./simulated-node.ts";

/** The gateway and the other devices among the nodes of the network. */
export const gateway = 4000;
export const device = 4001;

/** How often devices that are neither nodes nor the gateway send frames that all nodes on side 0 hear, in ms: from and to. */
const framesEveryMs = { chatty: [20, 80], rare: [300, 1500] } as const;
export type OtherDevices = keyof typeof framesEveryMs | "silent";

/** How long a kubelet may take to answer. */
const kubeletTimeoutMs = 400;

/**
 * "mixed": as objects, and every second node is of an earlier version. "attacked": a device without the key records packets and sends them again,
 * changed or not.
 */
export type Wire = "plain" | "mixed" | "sealed" | "attacked";

export interface SimulationOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly hasGateway: boolean;
  readonly noise: NetworkNoise;
  readonly timing: Timing;
  /** "silent" is the default. */
  readonly otherDevices?: OtherDevices;
  /** Whether heartbeats pass at the beginning. */
  readonly udp?: boolean;
  /** How messages travel: "plain" (the default) as objects, otherwise as authenticated packets. */
  readonly wire?: Wire;
}

/** Several nodes on one LAN. The same seed makes the same run. */
export class Simulation {
  readonly events = new EventQueue();
  readonly random: Random;
  readonly api: Api;
  readonly network: Network;
  readonly nodes: readonly SimulatedNode[];
  readonly #byName: ReadonlyMap<string, SimulatedNode>;
  /** Whether there is one that may answer. */
  hasGateway: boolean;
  readonly #isSealed: boolean;
  readonly #isEarlier: (node: SimulatedNode) => boolean;
  readonly #attacker: Attacker | undefined;
  readonly otherDevices: OtherDevices;
  isGatewayUp = true;
  /** Messages that were accepted, and not sent by the node that they are from, or accepted twice. */
  readonly forged: string[] = [];
  /** What was sent in packets and has not arrived, as JSON with sender and receiver. */
  readonly #outstanding = new Map<string, number>();
  /** The last of these, by sender and receiver. */
  readonly #last = new Map<string, string>();
  /** Watches what happens. */
  changed: (node: SimulatedNode) => void = () => {};
  reported: (node: SimulatedNode, fact: Fact) => void = () => {};
  sent: (node: SimulatedNode, effect: Effect) => void = () => {};
  asked: (node: SimulatedNode) => void = () => {};
  repeated: (node: SimulatedNode) => void = () => {};

  constructor({
    seed,
    nodes,
    hasGateway,
    noise,
    timing,
    otherDevices = "silent",
    udp = true,
    wire = "plain",
  }: SimulationOptions) {
    this.random = new Random(seed);
    this.api = new Api(this.events);
    this.network = new Network(this.events, this.random, noise);
    this.network.setUdp(udp);
    this.hasGateway = hasGateway;
    const names = Array.from({ length: nodes }, (_, index) => `n${index + 1}`);
    const peers: readonly MembershipPeer[] = names.map((node) => ({ node, onLan: true }));
    const world = {
      events: this.events,
      api: this.api,
      timing,
      peers,
      effect: (node: SimulatedNode, effect: Effect) => this.#effect(node, effect),
      changed: (node: SimulatedNode) => this.changed(node),
    };
    this.nodes = names.map((name, index) => {
      const clock = { offsetMs: this.random.integer(1000, 1_000_000), rate: 1 + (this.random.next() - 0.5) / 500 };
      return new SimulatedNode(name, index, world, clock);
    });
    this.otherDevices = otherDevices;
    if (otherDevices !== "silent") this.#broadcast(otherDevices);
    this.#isSealed = wire === "sealed" || wire === "attacked";
    this.#isEarlier = ({ index }) => wire === "mixed" && (index + seed) % 2 === 0;
    this.#attacker = wire === "attacked" ? new Attacker(seed) : undefined;
    this.#attacker?.attack(this.events, nodes, (node, packet) => this.#arrive(this.node(node), packet));
    this.#byName = new Map(this.nodes.map((node) => [node.name, node]));
  }

  node(index: number): SimulatedNode {
    const node = this.nodes[index];
    if (node === undefined) throw new RangeError(`there is no node ${index}`);
    return node;
  }

  /** The nodes that answer for the address now. */
  announcersOf(address: string): readonly SimulatedNode[] {
    return this.nodes.filter((node) => node.answersFor(address));
  }

  runUntil(endMs: number): void {
    this.events.runUntil(endMs);
  }

  #effect(node: SimulatedNode, effect: Effect): void {
    const { network, events } = this;
    if (effect.kind.startsWith("ask")) this.asked(node);
    if (effect.kind === "send") {
      const to = this.#byName.get(effect.to);
      this.sent(node, effect);
      if (to !== undefined) this.#send(node, to, effect.message);
    } else if (effect.kind === "repeat") {
      this.repeated(node);
    } else if (effect.kind === "askGateway") {
      const answers = (): boolean => this.hasGateway && this.isGatewayUp;
      network.exchange(node.index, gateway, answers, () =>
        node.run((membership, nowMs) => membership.gatewayAnswered(nowMs)),
      );
    } else if (effect.kind === "askNode" || effect.kind === "findNode") {
      const to = this.#byName.get(effect.node);
      if (to === undefined) return;
      network.exchange(
        node.index,
        to.index,
        () => to.isOn,
        () => node.run((membership, nowMs) => membership.nodeAnswered(to.name, nowMs)),
      );
    } else if (effect.kind === "askPrograms") {
      const to = this.#byName.get(effect.node);
      if (to !== undefined) this.#askPrograms(node, to, effect.askedMs);
    } else if (effect.kind === "askAnnounced") {
      const to = this.#byName.get(effect.node);
      if (to === undefined) return;
      const answers = (): boolean => effect.addresses.some((address) => to.answersFor(address));
      network.exchange(node.index, to.index, answers, () =>
        node.run((membership, nowMs) => membership.announcementAnswered(to.name, nowMs)),
      );
    } else if (effect.kind === "fact") {
      if (effect.fact.kind === "holding") {
        const { address } = effect.fact;
        events.at(events.nowMs + 20, () => this.api.setAnnouncedBy(address, node.name));
      }
      this.reported(node, effect.fact);
    }
  }

  /** A connection to the kubelet: its kernel accepts it, and the kubelet answers if it is there and not frozen. */
  #askPrograms(node: SimulatedNode, to: SimulatedNode, askedMs: number): void {
    const { network, events } = this;
    let answer: ProgramsAnswer = "unknown";
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      node.run((membership, nowMs) => membership.programsAnswered(to.name, askedMs, answer, nowMs));
    };
    const accepts = (): boolean => to.isOn && to.hasKubelet;
    network.exchange(node.index, to.index, accepts, () => {
      answer = "silent";
      const answers = (): boolean => accepts() && !to.isFrozen;
      network.exchange(node.index, to.index, answers, () => {
        answer = "answered";
        end();
      });
    });
    events.at(events.nowMs + kubeletTimeoutMs, end);
  }

  #broadcast(devices: Exclude<OtherDevices, "silent">): void {
    const { network, events } = this;
    for (const node of this.nodes)
      network.broadcast(device, node.index, () => node.run((membership, nowMs) => membership.lanHeard(nowMs)));
    const [fromMs, toMs] = framesEveryMs[devices];
    events.at(events.nowMs + this.random.integer(fromMs, toMs), () => this.#broadcast(devices));
  }

  #send(node: SimulatedNode, to: SimulatedNode, message: Message): void {
    const { network } = this;
    if (!this.#isSealed) {
      const understood = this.#isEarlier(node) || this.#isEarlier(to) ? asEarlier(message) : message;
      network.sendMessage(node.index, to.index, message.kind, () => to.receive(node.name, understood));
      return;
    }
    const packet = node.seal(to.name, message);
    if (packet === undefined) return;
    const sent = `${node.name} ${to.name} ${JSON.stringify(message)}`;
    this.#outstanding.set(sent, (this.#outstanding.get(sent) ?? 0) + 1);
    this.#last.set(`${node.name} ${to.name}`, sent);
    this.#attacker?.record(packet);
    network.sendMessage(node.index, to.index, message.kind, () => this.#arrive(to, packet));
  }

  #arrive(to: SimulatedNode, packet: Uint8Array): void {
    to.receivePacket(
      packet,
      (from, message) => {
        const sent = `${from} ${to.name} ${JSON.stringify(message)}`;
        const count = this.#outstanding.get(sent) ?? 0;
        this.#outstanding.set(sent, count - 1);
        if (count < 1) {
          this.forged.push(`${to.name} accepted ${message.kind} of ${from} that was not sent, or twice`);
        }
      },
      (from, answer) => {
        const sender = this.#byName.get(from);
        if (sender === undefined) return;
        // The answer contains what was sent last, which may have been dropped.
        const repeated = this.#last.get(`${to.name} ${sender.name}`);
        if (repeated !== undefined) this.#outstanding.set(repeated, (this.#outstanding.get(repeated) ?? 0) + 1);
        // It repeats what was sent last, of whatever kind.
        this.network.sendMessage(to.index, sender.index, "answer", () => this.#arrive(sender, answer));
      },
    );
  }
}
