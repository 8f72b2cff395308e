import { runChecked } from "./command.ts";
import { enterHost, ROOT_HOST } from "./namespaces.ts";
import type { LabState } from "./state.ts";

/** Frames that the LAN's switch drops: those that come in at the port of one host and leave at that of another. Without a name: any host. */
export interface FrameLoss {
  readonly from?: string;
  readonly to?: string;
}

const table = "lab-loss";

/**
 * The nft commands for a filter between the ports of the bridge. The hook is run for each port that a frame leaves at, so that a broadcast
 * reaches the other ports.
 */
export function lossCommands(losses: readonly FrameLoss[]): string {
  const rules = losses.map(({ from, to }) => {
    const ports = [
      ...(from === undefined ? [] : [`iifname "${from}"`]),
      ...(to === undefined ? [] : [`oifname "${to}"`]),
    ];
    return `add rule bridge ${table} forward ${[...ports, "drop"].join(" ")}`;
  });
  return [
    `add table bridge ${table}`,
    `add chain bridge ${table} forward { type filter hook forward priority 0; policy accept; }`,
    ...rules,
    "",
  ].join("\n");
}

/** The losses of a LAN whose switch has fallen into two: nothing gets from one half to the other. */
export function lossBetween(half: readonly string[], other: readonly string[]): readonly FrameLoss[] {
  return half.flatMap((a) =>
    other.flatMap((b) => [
      { from: a, to: b },
      { from: b, to: a },
    ]),
  );
}

function nft(state: LabState, commands: string): Promise<string> {
  return runChecked([...enterHost(state, ROOT_HOST), "nft", "-f", "-"], { input: commands });
}

/** Makes the switch drop these frames too. Every interface keeps its carrier. */
export async function addLosses(state: LabState, losses: readonly FrameLoss[]): Promise<void> {
  await nft(state, lossCommands(losses));
}

/** Makes the switch deliver every frame again. */
export async function removeLosses(state: LabState): Promise<void> {
  // Added first, because deleting a table that does not exist is an error.
  await nft(state, `add table bridge ${table}\ndelete table bridge ${table}\n`);
}
