import { InvalidArgumentError } from "commander";
import { Directory } from "../../speaker/membership/directory.ts";
import type { Effect } from "../../speaker/membership/effects.ts";
import { Membership } from "../../speaker/membership/membership.ts";
import { timingFor } from "../../speaker/membership/timing.ts";
import { wholeNumber } from "../lab/whole-number.ts";
import { EventQueue } from "../unit/speaker/membership/simulator/event-queue.ts";
import { Random } from "../unit/speaker/membership/simulator/random.ts";
import { spreadOf } from "./statistics.ts";

/**
 * What heartbeats cost and how soon a death is known, by the size of the cluster: `npm run bench -- membership [nodes:addresses...]`. All nodes
 * run in this process, in simulated time, on a LAN that delivers each packet within a millisecond; so only the cost of a message is a figure
 * of this machine. Each address has three owners among the six peers of its first one, as the controller plans them.
 */
const sizes =
  process.argv.length > 2
    ? process.argv.slice(2).map(sizeIn)
    : [
        [3, 10],
        [3, 10_000],
        [10, 100],
        [10, 10_000],
        [100, 1000],
        [100, 10_000],
        [1000, 10_000],
        [5000, 10_000],
      ];

/** What `nodes:addresses` says; each address has three owners. */
function sizeIn(text: string): readonly [number, number] {
  const [nodes = "", addresses = "", ...others] = text.split(":");
  if (others.length > 0) throw new InvalidArgumentError(`${JSON.stringify(text)}: write nodes:addresses`);
  return [
    wholeNumber(`nodes in ${JSON.stringify(text)}`, nodes, { from: 3, to: 100_000 }),
    wholeNumber(`addresses in ${JSON.stringify(text)}`, addresses, { from: 1, to: 1_000_000 }),
  ];
}

/** Where on a ring of all nodes the waiting owners of one address are, from its first one: all three are within three places. */
const waiting: readonly (readonly number[])[] = [
  [1, 2],
  [-1, 1],
  [-2, -1],
  [2, 1],
  [1, -1],
  [-1, -2],
  [2, -1],
  [-2, 1],
];

/** One process of a node. */
interface Speaker {
  readonly name: string;
  readonly membership: Membership;
  alive: boolean;
  wakeMs: number;
  sent: number;
}

/** Many nodes, without a main thread and without faults but death. */
class Cluster {
  readonly events = new EventQueue();
  readonly speakers: readonly Speaker[];
  readonly #byName: ReadonlyMap<string, Speaker>;
  readonly #random = new Random(1);
  #messages = 0;
  /** Called with each effect that is not a message. */
  noted: (speaker: Speaker, effect: Effect) => void = () => {};

  constructor(nodes: number, addresses: number) {
    const names = Array.from({ length: nodes }, (_, index) => `node-${index}.example.com`);
    const peers = names.map((node) => ({ node, onLan: true }));
    const shared = new Directory(peers, "");
    const timing = timingFor();
    this.speakers = names.map((node, index) => {
      const membership = new Membership({
        node,
        session: index + 1,
        incarnation: 1,
        timing,
        nowMs: 0,
        directoryOf: () => shared,
      });
      return { name: node, membership, alive: true, wakeMs: Number.POSITIVE_INFINITY, sent: 0 };
    });
    this.#byName = new Map(this.speakers.map((speaker) => [speaker.name, speaker]));
    for (const speaker of this.speakers) {
      this.events.at(this.#random.next() * 100, () => this.run(speaker, () => speaker.membership.setPeers(peers)));
    }
    for (let index = 0; index < addresses; index++) this.#serve(index, names);
  }

  get messages(): number {
    return this.#messages;
  }

  run(speaker: Speaker, act: (nowMs: number) => void): void {
    if (!speaker.alive) return;
    const { membership } = speaker;
    const { nowMs } = this.events;
    membership.advance(nowMs);
    act(nowMs);
    for (const effect of membership.take()) this.#apply(speaker, effect);
    const atMs = Math.max(membership.nextDueMs, nowMs + 0.01);
    if (speaker.wakeMs > nowMs && speaker.wakeMs <= atMs) return;
    speaker.wakeMs = atMs;
    this.events.at(atMs, () => {
      if (speaker.wakeMs === atMs) this.run(speaker, () => {});
    });
  }

  #serve(index: number, names: readonly string[]): void {
    const first = index % names.length;
    const address = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
    const turn = Math.floor(index / names.length);
    const owners = [0, ...(waiting[turn % waiting.length] ?? [])].map(
      (step) => names[(first + step + names.length) % names.length] ?? "",
    );
    const stake = {
      address,
      family: "IPv4",
      owners: [...new Set(owners)],
      createdSeconds: 1,
      term: 1,
      armed: true,
    } as const;
    for (const owner of stake.owners) {
      const speaker = this.#byName.get(owner);
      if (speaker !== undefined)
        this.events.at(100 + this.#random.next() * 400, () =>
          this.run(speaker, () => speaker.membership.setStake(stake)),
        );
    }
  }

  #apply(speaker: Speaker, effect: Effect): void {
    if (effect.kind === "askGateway") {
      this.events.at(this.events.nowMs + 1, () =>
        this.run(speaker, (nowMs) => speaker.membership.gatewayAnswered(nowMs)),
      );
    }
    if (effect.kind !== "send") {
      this.noted(speaker, effect);
      return;
    }
    speaker.sent += 1;
    this.#messages += 1;
    const to = this.#byName.get(effect.to);
    if (to === undefined) return;
    this.events.at(this.events.nowMs + 0.1 + this.#random.next() * 0.9, () =>
      this.run(to, (nowMs) => to.membership.receive(speaker.name, effect.message, nowMs)),
    );
  }
}

/** Packets of each node in one second. */
function countSecond(cluster: Cluster, fromMs: number): readonly number[] {
  for (const speaker of cluster.speakers) speaker.sent = 0;
  cluster.events.runUntil(fromMs + 1000);
  return cluster.speakers.filter(({ alive }) => alive).map(({ sent }) => sent);
}

function measure(nodes: number, addresses: number): string {
  const cluster = new Cluster(nodes, addresses);
  const held = new Map<string, string>();
  cluster.noted = (speaker, effect) => {
    if (effect.kind === "announce") held.set(effect.address, speaker.name);
  };
  cluster.events.runUntil(3000);
  if (held.size !== addresses) throw new Error(`${held.size} of ${addresses} addresses are announced`);
  const messagesBefore = cluster.messages;
  const cpuBefore = process.cpuUsage();
  const rest = spreadOf(countSecond(cluster, 3000));
  const cpu = process.cpuUsage(cpuBefore);
  const costUs = (cpu.user + cpu.system) / (cluster.messages - messagesBefore);
  const victim = cluster.speakers[0];
  if (victim === undefined) throw new Error("no node");
  const lost = new Set([...held].filter(([, holder]) => holder === victim.name).map(([address]) => address));
  const lostCount = lost.size;
  let movedMs = 0;
  let known = 0;
  let knownMs = 0;
  const requests = new Map<string, number>();
  cluster.noted = (speaker, effect) => {
    const sinceMs = cluster.events.nowMs - 4000;
    if (effect.kind === "findNode" && sinceMs >= 1000)
      requests.set(speaker.name, (requests.get(speaker.name) ?? 0) + 1);
    if (effect.kind === "announce" && lost.delete(effect.address)) movedMs = sinceMs;
    if (
      effect.kind === "fact" &&
      effect.fact.kind === "peerDown" &&
      effect.fact.node === victim.name &&
      speaker.alive
    ) {
      known += 1;
      knownMs = sinceMs;
    }
  };
  victim.alive = false;
  const death = spreadOf(countSecond(cluster, 4000));
  const after = spreadOf(countSecond(cluster, 5000));
  const toDead = spreadOf([...requests.values()]);
  if (lost.size > 0) throw new Error(`${lost.size} addresses of the dead node are not announced`);
  return [
    nodes,
    addresses,
    `${rest.median} / ${rest.max}`,
    `${death.median} / ${death.max}`,
    `${after.median} / ${after.max}`,
    `${toDead.median} / ${toDead.max} by ${toDead.trials}`,
    costUs.toFixed(1),
    ((costUs * rest.median) / 10_000).toFixed(2),
    `${lostCount} in ${Math.round(movedMs)}`,
    `${known} in ${Math.round(knownMs)}`,
  ].join(" | ");
}

const head = [
  "nodes",
  "addresses",
  "packets a node sends in a second at rest, median / most",
  "in the second of a death",
  "in the next one",
  "requests in the next one to each hardware address of the dead node, median / most, and by how many nodes",
  "CPU for a packet, sent and received, µs",
  "% of a core",
  "addresses of the dead node, ms until announced",
  "nodes that know of the death, ms",
];
process.stdout.write(`| ${head.join(" | ")} |\n|${" --- |".repeat(head.length)}\n`);
for (const [nodes = 0, addresses = 0] of sizes) process.stdout.write(`| ${measure(nodes, addresses)} |\n`);
