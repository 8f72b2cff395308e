import { BellhopError } from "../error/error.ts";
import type { BatchFault, BatchOutcome } from "./run-batch.ts";

/**
 * The error of a batch that was not applied. `commands` are the names of its commands. `cause` is the outcome, so that a caller can find the
 * element at fault.
 */
export function batchError(
  outcome: Exclude<BatchOutcome, { kind: "applied" }>,
  commands: readonly string[],
): BellhopError {
  if (outcome.kind === "unknown") {
    return new BellhopError("NftFailed", `whether nftables accepted the rules is unknown: ${outcome.reason}`, {
      cause: outcome,
    });
  }
  const [first, ...others] = outcome.faults;
  const more = others.length === 0 ? "" : `, and ${others.length} more`;
  const words = first === undefined ? "no reason" : describeFault(first, commands);
  return new BellhopError("NftFailed", `nftables refused the rules: ${words}${more}`, { cause: outcome });
}

/** "command 8, add rule dnat_to_endpoints: ENOENT at expression 2 `lookup`". */
function describeFault({ command, errno, location, message }: BatchFault, commands: readonly string[]): string {
  const which = command === 0 ? "the batch" : `command ${command}, ${commands[command - 1] ?? "unknown"}`;
  const where = location === undefined ? "" : ` at ${location.words}`;
  return `${which}: ${errno}${where}${message === undefined ? "" : ` (${message})`}${adviceFor(command, errno)}`;
}

function adviceFor(command: number, errno: string): string {
  if (command === 0 && errno === "EPERM") return "; the speaker needs the capability NET_ADMIN";
  if (errno === "EPERM") return "; the table belongs to another program";
  if (errno === "EOPNOTSUPP") return "; the kernel may be too old";
  return "";
}
