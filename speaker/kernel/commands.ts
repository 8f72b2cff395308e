import type { IpFamily } from "../../src/ip/address.ts";
import type { NftElement, NftSet } from "../../src/nft/set.ts";
import type { ExpectedTable } from "../../src/nft-netlink/expected-contents.ts";
import type { DroppingChain } from "../../src/nft-netlink/forward-chains.ts";
import type { BatchOutcome } from "../../src/nft-netlink/run-batch.ts";
import type { TableName } from "../../src/nft-netlink/table-contents.ts";
import type { HostNetwork } from "../../src/rtnetlink/host-network.ts";
import type { DeadEndpoints } from "../dataplane/dead-endpoints.ts";
import type { FlowRule } from "../dataplane/flow.ts";

/** Requests of the main thread to the kernel thread. Each with an `id` is answered once. */
export type KernelRequest =
  | {
      /** Sends a batch of nf_tables. `bytes` are transferred, and must not be read afterwards. */
      readonly kind: "write";
      readonly id: number;
      readonly bytes: Uint8Array<ArrayBuffer>;
      readonly commandCount: number;
      /** The tables that the batch changes. */
      readonly expected: readonly ExpectedTable[];
    }
  | {
      /** Deletes the UDP flows that a rule does not permit. */
      readonly kind: "deleteFlows";
      readonly id: number;
      readonly family: IpFamily;
      readonly rules: readonly FlowRule[];
    }
  | {
      /** Deletes the UDP flows and TCP connections to dead endpoints. Answered by `flowsDeleted`. */
      readonly kind: "deleteDead";
      readonly id: number;
      readonly family: IpFamily;
      readonly dead: DeadEndpoints;
    }
  | {
      /** Reads the elements of a set. Answered by `elementsRead`. */
      readonly kind: "readElements";
      readonly id: number;
      readonly table: TableName;
      readonly set: NftSet;
    }
  | { readonly kind: "stop" };

/** Reports of the kernel thread to the main thread. */
export type KernelReport =
  | { readonly kind: "written"; readonly id: number; readonly outcome: BatchOutcome }
  | {
      readonly kind: "elementsRead";
      readonly id: number;
      /** The elements, or what went wrong. */
      readonly result: readonly NftElement[] | { readonly failure: string };
    }
  | {
      readonly kind: "flowsDeleted";
      readonly id: number;
      /** How many, or what went wrong. */
      readonly result: number | { readonly failure: string };
    }
  | {
      /** Something else has changed one of our tables. Reported once, until the table is written again. */
      readonly kind: "tableChanged";
      readonly table: TableName;
      readonly difference: string;
    }
  /** The network of this node, at the start and after each change. */
  | { readonly kind: "networkRead"; readonly network: HostNetwork }
  | { readonly kind: "networkFailed"; readonly reason: string }
  /** The chains that drop forwarded packets by their policy, when there are others than before; none at first. */
  | { readonly kind: "chainsRead"; readonly chains: readonly DroppingChain[] }
  | { readonly kind: "chainsFailed"; readonly reason: string };
