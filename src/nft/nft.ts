import { spawn } from "node:child_process";
import { BellhopError } from "../error/error.ts";
import { printTransaction } from "./print.ts";
import type { NftTransaction } from "./transaction.ts";

/** The seam to nftables. */
export interface Nft {
  /** Carries out the transaction as a whole. Throws BellhopError NftFailed, and then nothing has changed. */
  run(transaction: NftTransaction): Promise<void>;
}

export interface NftOptions {
  /** The program and arguments before `-f -`; the default is `nft` from the path. */
  readonly command?: readonly string[];
  readonly timeoutMs?: number;
}

/** How much of nft's complaints is kept: one wrong element can make thousands of lines. */
const keptComplaint = 2000;

/** Runs nft(8), 1.0.6 or later, as a child process. One call is one `nft -f -`; it never reads what others have in the kernel. */
export function createNft(options: NftOptions = {}): Nft {
  const [program = "nft", ...args] = options.command ?? ["nft"];
  const timeout = options.timeoutMs ?? 30_000;
  return {
    run: (transaction) =>
      new Promise((resolve, reject) => {
        const child = spawn(program, [...args, "-f", "-"], { stdio: ["pipe", "ignore", "pipe"] });
        // Not spawn's own timeout: its timer outlives a program that could not be started.
        const timer = setTimeout(() => child.kill("SIGKILL"), timeout);
        let complaint = "";
        child.stderr.setEncoding("utf8").on("data", (text: string) => {
          if (complaint.length < keptComplaint) complaint += text;
        });
        child.on("error", (cause) => {
          clearTimeout(timer);
          reject(new BellhopError("NftFailed", `${program} cannot be run`, { cause }));
        });
        // An nft that ends before it has read everything closes the pipe; its exit code says why.
        child.stdin.on("error", (cause) => {
          complaint += `(its input broke: ${cause.message}) `;
        });
        child.on("close", (code, signal) => {
          clearTimeout(timer);
          if (code === 0) resolve();
          else {
            const end = code === null ? `was ended by ${signal}` : `failed with code ${code}`;
            reject(new BellhopError("NftFailed", `${program} ${end}: ${complaint.slice(0, keptComplaint).trim()}`));
          }
        });
        child.stdin.end(printTransaction(transaction));
      }),
  };
}
