import type { Random } from "./random.ts";
import type { Simulation } from "./simulation.ts";

/** Something that goes wrong and is never repaired. Nodes by their index. */
export type LastingFault = { readonly atMs: number } & Fault;

type Fault =
  /** The whole node ends, its speaker ends, its speaker stands still, or all its programs do. */
  | { readonly kind: "power" | "speaker" | "thread" | "programs"; readonly node: number }
  | { readonly kind: "cable"; readonly node: number; readonly receives: boolean; readonly sends: boolean }
  | { readonly kind: "block"; readonly from: number; readonly to: number; readonly both: boolean }
  | { readonly kind: "partition"; readonly nodes: readonly number[] }
  | { readonly kind: "gateway" };

/** What ends within the given times: often nothing, otherwise up to all nodes but one, in any way, together or one after the other. */
export function randomLastingFaults(
  random: Random,
  { nodes, hasGateway, fromMs, toMs }: { nodes: number; hasGateway: boolean; fromMs: number; toMs: number },
): readonly LastingFault[] {
  const all = Array.from({ length: nodes }, (_, index) => index);
  const faults: Fault[] = [];
  const some = (): readonly number[] => random.shuffle(all).slice(0, random.integer(1, nodes - 1));
  const ends = ["power", "power", "speaker", "thread", "programs"] as const;
  const cables = [
    { receives: false, sends: false },
    { receives: false, sends: true },
    { receives: true, sends: false },
  ] as const;
  const actions: readonly (() => void)[] = [
    () => {
      for (const node of some()) faults.push({ kind: random.pick(ends), node });
    },
    () => {
      const kind = random.pick(ends);
      for (const node of some()) faults.push({ kind, node });
    },
    () => {
      const cable = random.pick(cables);
      for (const node of random.chance(0.5) ? [random.pick(all)] : some())
        faults.push({ kind: "cable", node, ...cable });
    },
    () => faults.push({ kind: "partition", nodes: some() }),
    () => {
      const [from, to] = random.shuffle(all) as [number, number];
      faults.push({ kind: "block", from, to, both: random.chance(0.5) });
    },
  ];
  const count = random.pick([0, 0, 1, 1, 1, 2]);
  for (let index = 0; index < count; index++) random.pick(actions)();
  if (hasGateway && random.chance(0.2)) faults.push({ kind: "gateway" });
  const atMs = random.chance(0.5) ? random.integer(fromMs, toMs) : undefined;
  return faults.map((fault) => ({ atMs: atMs ?? random.integer(fromMs, toMs), ...fault }));
}

/** May be called again, where something else was repaired. */
export function beginFault(simulation: Simulation, fault: LastingFault): void {
  const { network } = simulation;
  switch (fault.kind) {
    case "power":
    case "speaker":
      simulation.node(fault.node).end(fault.kind === "power");
      break;
    case "thread":
      simulation.node(fault.node).stall(Number.POSITIVE_INFINITY);
      break;
    case "programs":
      simulation.node(fault.node).freeze(Number.POSITIVE_INFINITY);
      break;
    case "cable":
      network.setCable(fault.node, fault.receives, fault.sends);
      break;
    case "block":
      network.setBlocked(fault.from, fault.to, true, fault.both);
      break;
    case "partition":
      for (const node of fault.nodes) network.setSide(node, 1);
      break;
    case "gateway":
      simulation.hasGateway = false;
      break;
  }
}

/** The node whose speaker serves no clients because of the fault; undefined: there is none. */
export function lostNode(fault: LastingFault): number | undefined {
  return "node" in fault ? fault.node : undefined;
}
