import type { Conntrack } from "../../speaker/dataplane/conntrack.ts";
import type { DeadEndpoints } from "../../speaker/dataplane/dead-endpoints.ts";
import type { FlowRule } from "../../speaker/dataplane/flow.ts";
import { BellhopError } from "../../src/error/error.ts";
import type { IpFamily } from "../../src/ip/address.ts";
import type { Nft, NftReader } from "../../src/nft/nft.ts";
import type { NftElement, NftSet } from "../../src/nft/set.ts";
import type { NftTable, NftTransaction } from "../../src/nft/transaction.ts";
import type { Namespace } from "./namespace.ts";
import { Program } from "./program.ts";

/** A line to `kernel-process.ts`. */
export type KernelQuestion =
  | { readonly kind: "run"; readonly transaction: NftTransaction }
  | {
      readonly kind: "deleteStale";
      readonly family: IpFamily;
      readonly rules: readonly FlowRule[];
    }
  | { readonly kind: "deleteDead"; readonly family: IpFamily; readonly dead: DeadEndpoints }
  | {
      readonly kind: "writeDuringSearch";
      readonly family: IpFamily;
      readonly rules: readonly FlowRule[];
      readonly transaction: NftTransaction;
    }
  | { readonly kind: "readElements"; readonly table: NftTable; readonly set: NftSet }
  | { readonly kind: "events" | "interfaces" | "gateways" };

/** What came of a write that was requested while flows were searched for. */
export interface WriteDuringSearch {
  readonly ended: readonly ("write" | "search")[];
  readonly deleted: number;
  /** How much the resident memory of the process has grown, in MiB. */
  readonly grownMiB: number;
}

/** As JSON, in which a Set is an object with its members. */
function writeQuestion(question: KernelQuestion): string {
  return JSON.stringify(question, (_, value: unknown) => (value instanceof Set ? { members: [...value] } : value));
}

/** The reverse. */
export function readQuestion(line: string): KernelQuestion {
  return JSON.parse(line, (_, value) => (Array.isArray(value?.members) ? new Set(value.members) : value));
}

/** The kernel thread of another namespace. */
export class RemoteKernel implements Nft, NftReader, Conntrack {
  readonly #program: Program;
  #killed = false;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(program: Program) {
    this.#program = program;
  }

  static async start(namespace: Namespace): Promise<RemoteKernel> {
    const program = new Program(namespace, "kernel-process.ts", []);
    await program.line();
    return new RemoteKernel(program);
  }

  async run(transaction: NftTransaction): Promise<void> {
    await this.#ask({ kind: "run", transaction });
  }

  async readElements(table: NftTable, set: NftSet): Promise<readonly NftElement[]> {
    return (await this.#ask({ kind: "readElements", table, set })) as readonly NftElement[];
  }

  async deleteStale(family: IpFamily, rules: readonly FlowRule[]): Promise<number> {
    return (await this.#ask({ kind: "deleteStale", family, rules })) as number;
  }

  async deleteDead(family: IpFamily, dead: DeadEndpoints): Promise<number> {
    return (await this.#ask({ kind: "deleteDead", family, dead })) as number;
  }

  /** Searches for flows, and runs the transaction meanwhile. */
  async writeDuringSearch(
    family: IpFamily,
    rules: readonly FlowRule[],
    transaction: NftTransaction,
  ): Promise<WriteDuringSearch> {
    return (await this.#ask({ kind: "writeDuringSearch", family, rules, transaction })) as WriteDuringSearch;
  }

  /** What was reported since the last call: `network`, or a table with its difference. */
  async events(): Promise<readonly string[]> {
    return (await this.#ask({ kind: "events" })) as readonly string[];
  }

  async interfaces(): Promise<readonly string[]> {
    return (await this.#ask({ kind: "interfaces" })) as readonly string[];
  }

  async gateways(): Promise<readonly string[]> {
    return (await this.#ask({ kind: "gateways" })) as readonly string[];
  }

  /** Questions without an answer fail as those of a thread that has ended. */
  kill(): void {
    this.#killed = true;
    this.#program.kill();
  }

  /** One question at a time. */
  #ask(question: KernelQuestion): Promise<unknown> {
    const asked = this.#last.then(async () => {
      const line = await this.#program.say(writeQuestion(question)).catch((error: unknown) => {
        throw this.#killed ? new BellhopError("WorkerFailed", "the kernel thread was killed") : error;
      });
      const answer = JSON.parse(line, reviveBytes);
      if (answer.code !== undefined) throw new BellhopError(answer.code, answer.message, { cause: answer.cause });
      if (answer.message !== undefined) throw new Error(answer.message);
      return answer.value;
    });
    this.#last = asked.catch(() => undefined);
    return asked;
  }
}

/** Bytes as `kernel-process.ts` writes them. */
function reviveBytes(_: string, value: unknown): unknown {
  const isBytes = typeof value === "object" && value !== null && "bytes" in value && Array.isArray(value.bytes);
  return isBytes ? Uint8Array.from(value.bytes as number[]) : value;
}
