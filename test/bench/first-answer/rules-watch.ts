import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { monotonicMs } from "../../e2e/probe/monotonic.ts";

/** An address whose rules have come into the kernel of a node. */
export interface SeenRules {
  /** CLOCK_MONOTONIC, ms. */
  readonly atMs: number;
  readonly node: string;
  readonly address: string;
}

/** What `nft monitor` prints when the speaker makes an address known to its rules. */
const added = /^add element ip bellhop service_addresses \{ (\S+)/;

/** Notes when the rules of an IPv4 address come into the kernel of a node. `monitor` runs the program in the network of a node, with a pipe. */
export function watchRules(
  nodes: readonly string[],
  monitor: (node: string, argv: readonly string[]) => ChildProcess,
): { readonly seen: readonly SeenRules[]; readonly close: () => Promise<void> } {
  const seen: SeenRules[] = [];
  const children = nodes.map((node) => {
    const child = monitor(node, ["nft", "monitor", "new", "elements"]);
    if (child.stdout === null) throw new TypeError("nft has no pipe");
    createInterface({ input: child.stdout }).on("line", (line) => {
      const address = added.exec(line)?.[1];
      if (address !== undefined) seen.push({ atMs: monotonicMs(), node, address });
    });
    return { child, ended: once(child, "exit") };
  });
  const close = async () => {
    for (const { child } of children) child.kill();
    await Promise.all(children.map(({ ended }) => ended));
  };
  return { seen, close };
}
