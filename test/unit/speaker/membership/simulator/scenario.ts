import { type LastingFault, randomLastingFaults } from "./lasting-fault.ts";
import type { NetworkNoise } from "./network.ts";
import { Random } from "./random.ts";
import type { OtherDevices } from "./simulation.ts";

/** One thing that goes wrong, or that someone does, and for how long. Nodes by their index. */
export type Step = { readonly atMs: number; readonly forMs: number } & StepAction;

type StepAction =
  /** The speaker ends without a word, with `power` the whole node; it starts again after the time. */
  | { readonly kind: "crash"; readonly node: number; readonly power: boolean }
  | { readonly kind: "stall"; readonly node: number }
  /** All programs of the node stand still, and its kernel works. */
  | { readonly kind: "freeze"; readonly node: number }
  | { readonly kind: "clock"; readonly node: number; readonly byMs: number }
  | { readonly kind: "cable"; readonly node: number; readonly receives: boolean; readonly sends: boolean }
  | { readonly kind: "block"; readonly from: number; readonly to: number; readonly both: boolean }
  | { readonly kind: "partition"; readonly nodes: readonly number[] }
  | { readonly kind: "gateway" }
  | { readonly kind: "owners"; readonly address: string; readonly owners: readonly number[] }
  | {
      readonly kind: "recreate";
      readonly address: string;
      readonly owners: readonly number[];
      readonly sameSecond: boolean;
    }
  | { readonly kind: "unarm"; readonly node: number; readonly address: string }
  | { readonly kind: "health"; readonly node: number; readonly ipv4: boolean; readonly ipv6: boolean }
  | { readonly kind: "leave"; readonly node: number; readonly intent: "restart" | "leave" }
  | { readonly kind: "watch"; readonly node: number };

/** Everything that happens in one run. Plain data: it can be printed, and made smaller. */
export interface Scenario {
  readonly seed: number;
  readonly nodes: number;
  readonly hasGateway: boolean;
  readonly otherDevices: OtherDevices;
  readonly noise: NetworkNoise;
  readonly addresses: readonly { readonly address: string; readonly owners: readonly number[] }[];
  /** By node: how late its watch is, and how long it needs to arm a stake. */
  readonly lagMs: readonly number[];
  readonly armMs: readonly number[];
  readonly steps: readonly Step[];
  /** What is not repaired when the steps are over. */
  readonly lasting: readonly LastingFault[];
  /** The controller then takes the nodes that are lost out of the lists of owners. */
  readonly listsFollow: boolean;
}

/** Steps happen between these two times; the cluster is at peace before. */
export const stepsFromMs = 800;
const stepsWithinMs = 1500;
/** A step is over after this at most. */
const longestStepMs = 900;
export const calmMs: number = stepsFromMs + stepsWithinMs + longestStepMs;

export function randomScenario(seed: number): Scenario {
  const random = new Random(seed);
  const nodes = random.pick([2, 2, 3, 3, 3, 4, 5]);
  const all = Array.from({ length: nodes }, (_, index) => index);
  const owners = (): readonly number[] => random.shuffle(all).slice(0, random.integer(1, Math.min(3, nodes)));
  const addresses = Array.from({ length: random.integer(1, 3) }, (_, index) => ({
    address: index === 1 ? "2001:db8::1" : `192.0.2.${index + 1}`,
    owners: owners(),
  }));
  const noisy = random.chance(0.5);
  const noise = {
    loss: noisy ? random.next() * 0.15 : 0,
    duplicates: noisy ? random.next() * 0.1 : 0,
    delayMs: noisy ? random.integer(1, 40) : random.integer(1, 5),
  };
  const node = (): number => random.integer(0, nodes - 1);
  const address = (): string => random.pick(addresses).address;
  const actions: readonly (() => StepAction)[] = [
    () => ({ kind: "crash", node: node(), power: random.chance(0.5) }),
    () => ({ kind: "stall", node: node() }),
    () => ({ kind: "freeze", node: node() }),
    () => ({ kind: "clock", node: node(), byMs: random.integer(-2000, 5000) }),
    () => {
      const receives = random.chance(0.5);
      return { kind: "cable", node: node(), receives, sends: !receives && random.chance(0.5) };
    },
    () => ({ kind: "block", from: node(), to: node(), both: random.chance(0.5) }),
    () => ({ kind: "partition", nodes: random.shuffle(all).slice(0, random.integer(1, nodes - 1)) }),
    () => ({ kind: "gateway" }),
    () => ({ kind: "owners", address: address(), owners: owners() }),
    () => ({ kind: "recreate", address: address(), owners: owners(), sameSecond: random.chance(0.5) }),
    () => ({ kind: "unarm", node: node(), address: address() }),
    () => ({ kind: "health", node: node(), ipv4: random.chance(0.5), ipv6: random.chance(0.5) }),
    () => ({ kind: "leave", node: node(), intent: random.pick(["restart", "leave"]) }),
    () => ({ kind: "watch", node: node() }),
  ];
  const steps = Array.from({ length: random.integer(1, 7) }, (): Step => {
    const atMs = stepsFromMs + random.integer(0, stepsWithinMs);
    return { atMs, forMs: random.integer(1, longestStepMs), ...random.pick(actions)() };
  });
  const hasGateway = random.chance(0.7);
  return {
    seed,
    nodes,
    hasGateway,
    otherDevices: random.pick(["chatty", "rare", "silent"]),
    noise,
    addresses,
    lagMs: all.map(() => random.integer(0, 150)),
    armMs: all.map(() => random.integer(0, 200)),
    steps: steps.sort((a, b) => a.atMs - b.atMs),
    lasting: randomLastingFaults(random, { nodes, hasGateway, fromMs: stepsFromMs, toMs: calmMs }),
    listsFollow: random.chance(0.3),
  };
}
