import type { NetfilterBatch } from "../netlink/batch-writer.ts";
import { LinuxNetlinkSocket } from "../netlink-socket/linux-netlink-socket.ts";
import type { NetlinkSocket } from "../netlink-socket/netlink-socket.ts";
import { encodeTransaction } from "../nft/encode/transaction.ts";
import type { Nft } from "../nft/nft.ts";
import { batchError } from "./batch-error.ts";
import { runBatch } from "./run-batch.ts";

/** Sends a batch, and throws BellhopError NftFailed unless it was applied. */
export function sendBatch(socket: NetlinkSocket, { bytes, commands }: NetfilterBatch): void {
  const outcome = runBatch(socket, bytes, commands.length);
  if (outcome.kind !== "applied") throw batchError(outcome, commands);
}

/**
 * nftables by a socket of this thread, which is opened for each transaction: for commands that end soon. The thread is blocked while the
 * kernel works.
 */
export const socketNft: Nft = {
  run: async (transaction) => {
    const socket = new LinuxNetlinkSocket("netfilter");
    try {
      sendBatch(socket, encodeTransaction(transaction));
    } finally {
      socket.close();
    }
  },
};
