import assert from "node:assert/strict";
import { encodeTransaction } from "../../src/nft/encode/transaction.ts";
import type { NftCommand, NftFamily } from "../../src/nft/transaction.ts";
import type { KernelTable } from "./kernel-table.ts";
import { Namespace } from "./namespace.ts";
import type { NftablesRequest } from "./nftables-process.ts";
import { Program } from "./program.ts";

/** The kernel's nftables in a network namespace, with the interfaces lo and eth1. */
export class KernelNftables {
  readonly #namespace: Namespace;
  readonly #process: Program;

  private constructor(namespace: Namespace, process: Program) {
    this.#namespace = namespace;
    this.#process = process;
  }

  /** Calls `work` with empty nftables. */
  static async use<Result>(work: (kernel: KernelNftables) => Promise<Result>): Promise<Result> {
    const namespace = await Namespace.create("nftables");
    const process = new Program(namespace, "nftables-process.ts", []);
    try {
      await namespace.sh("ip link add eth1 type veth peer name eth2");
      await process.line();
      return await work(new KernelNftables(namespace, process));
    } finally {
      process.kill();
      namespace.destroy();
    }
  }

  /** Runs the commands by netlink, as one batch. */
  async write(commands: readonly NftCommand[]): Promise<void> {
    const { bytes, commands: names } = encodeTransaction({ commands });
    const outcome = await this.#ask({ batch: Buffer.from(bytes).toString("base64"), commandCount: names.length });
    assert.deepEqual(outcome, { kind: "applied" });
  }

  async read(family: NftFamily, table: string): Promise<KernelTable> {
    return (await this.#ask({ family, table })) as KernelTable;
  }

  async #ask(request: NftablesRequest): Promise<unknown> {
    return JSON.parse(await this.#process.say(JSON.stringify(request)));
  }

  /** Runs a program, and returns what it prints. Rejects when it fails. */
  run(argv: readonly string[], input = ""): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = this.#namespace.spawn(argv, { stdio: ["pipe", "pipe", "pipe"] });
      let [output, complaint] = ["", ""];
      child.stdout?.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        complaint += text;
      });
      child.on("close", (code, signal) => {
        if (code === 0) resolve(output);
        else reject(new Error(`${argv.join(" ")} ended with ${code ?? signal}: ${complaint}`));
      });
      // A program that ends before it has read everything closes the pipe; its exit code says why.
      child.stdin?.on("error", () => {});
      child.stdin?.end(input);
    });
  }
}
