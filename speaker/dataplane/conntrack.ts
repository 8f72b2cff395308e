import { execFile } from "node:child_process";
import { BellhopError } from "../../src/error/error.ts";
import type { IpFamily } from "../../src/ip/address.ts";
import { type Flow, type FlowPattern, parseFlows } from "./flow.ts";

/** The interface to the connection tracking table, for UDP only: TCP connections are never deleted. */
export interface Conntrack {
  list(family: IpFamily): Promise<readonly Flow[]>;
  /** Deletes every flow that a pattern matches; it is not an error when there is none. */
  delete(family: IpFamily, patterns: readonly FlowPattern[]): Promise<void>;
}

/** conntrack(8) exits with 1 and prints this if there was no flow to delete. */
const nothingDeleted = /\b0 flow entries have been deleted/;

/** A listing of a full table of 1,000,000 flows still fits. */
const listingLimit = 256 * 1024 * 1024;

/** Runs conntrack(8), by default from the path. Each deletion walks the whole table, so patterns should be few. */
export function createConntrack(command: readonly string[] = ["conntrack"]): Conntrack {
  const [program = "conntrack", ...before] = command;
  const run = (args: readonly string[]) =>
    new Promise<string>((resolve, reject) => {
      execFile(
        program,
        [...before, ...args],
        { maxBuffer: listingLimit, timeout: 30_000 },
        (cause, output, complaint) => {
          if (cause === null || nothingDeleted.test(complaint)) resolve(output);
          else
            reject(new BellhopError("CommandFailed", `${program} ${args.join(" ")}: ${complaint.trim()}`, { cause }));
        },
      );
    });
  return {
    list: async (family) => parseFlows(await run(["-L", "-f", family.toLowerCase(), "-p", "udp"])),
    delete: async (family, patterns) => {
      for (const { destination, destinationPort, replySource, replySourcePort } of patterns) {
        const original = ["--orig-dst", destination, "--orig-port-dst", String(destinationPort)];
        const reply = ["--reply-src", replySource, "--reply-port-src", String(replySourcePort)];
        await run(["-D", "-f", family.toLowerCase(), "-p", "udp", ...original, ...reply]);
      }
    },
  };
}
