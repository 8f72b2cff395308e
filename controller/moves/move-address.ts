import { nodeAnnotation } from "../../src/api/labels.ts";
import { type VirtualIP, virtualIpSchema } from "../../src/api/virtual-ip.ts";
import { pause } from "../../src/clock/clock.ts";
import { formatAddress, type IpAddress, virtualIpName } from "../../src/ip/address.ts";
import { type ApiClient, patchTypes } from "../../src/kube/client.ts";
import { getObject } from "../../src/kube/get-object.ts";
import { ownPath } from "../../src/kube/path.ts";
import { type Reason, reasonOf } from "../../src/model/reason.ts";
import { ownersOf } from "../../src/placement/owner-assignment.ts";
import type { ReadOptions } from "../collect/read-cluster.ts";
import { readMovesInput } from "./moves-input.ts";
import { refuseMove, virtualIpAbsent } from "./refuse-move.ts";

/** Where one address is; plain data, as `-o json` prints it. */
export interface MoveReport {
  readonly address: string;
  /** The node that announces it. Undefined: none does. */
  readonly announcedBy: string | undefined;
  /** The node that it is pinned to. Undefined: the controller chooses. */
  readonly pinnedTo: string | undefined;
  /** Nodes in order: the first one should announce it. */
  readonly owners: readonly string[];
  /** Why it is not where it was to move. Undefined: it is, or it was not to move. */
  readonly reason: Reason | undefined;
}

export interface MoveOptions extends ReadOptions {
  readonly address: IpAddress;
  /** How long to wait until the node announces the address. */
  readonly timeoutMs: number;
}

const pollMs = 500;

/**
 * Pins an address to a node, and waits until that node announces it. Changes nothing where the node cannot announce the address. Throws
 * what the client throws.
 */
export async function moveAddress(options: MoveOptions, node: string): Promise<MoveReport> {
  const { client, address, clock, timeoutMs } = options;
  const refusal = refuseMove(await readMovesInput(options), address, node);
  const name = virtualIpName(address);
  if (refusal !== undefined) return report(address, await readVirtualIp(client, name), refusal);
  let object: VirtualIP | undefined = await pin(client, name, node);
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  while (object?.status?.node !== node && clock.monotonicMs() < deadlineMs) {
    await pause(clock, pollMs);
    object = await readVirtualIp(client, name);
  }
  const about = { object: `VirtualIP ${name}`, field: "", value: node };
  return report(address, object, object?.status?.node === node ? undefined : reasonOf("NotMovedYet", about));
}

/** Removes the pin. The address stays where it is until the controller has a reason to move it. */
export async function unpinAddress({ client, address }: Pick<MoveOptions, "client" | "address">): Promise<MoveReport> {
  const name = virtualIpName(address);
  const present = await readVirtualIp(client, name);
  const pinned = present?.metadata.annotations[nodeAnnotation] !== undefined;
  return reportPresent(address, pinned ? await pin(client, name, null) : present);
}

/** Where the address is. Changes nothing. */
export async function showAddress({ client, address }: Pick<MoveOptions, "client" | "address">): Promise<MoveReport> {
  return reportPresent(address, await readVirtualIp(client, virtualIpName(address)));
}

function reportPresent(address: IpAddress, object: VirtualIP | undefined): MoveReport {
  return report(address, object, object === undefined ? virtualIpAbsent(address) : undefined);
}

function report(address: IpAddress, object: VirtualIP | undefined, reason: Reason | undefined): MoveReport {
  return {
    address: formatAddress(address),
    announcedBy: object?.status?.node,
    pinnedTo: object?.metadata.annotations[nodeAnnotation],
    owners: object === undefined ? [] : ownersOf(object).owners,
    reason,
  };
}

/** `node` null: removes the pin. */
async function pin(client: ApiClient, name: string, node: string | null): Promise<VirtualIP> {
  const path = ownPath("virtualips", name);
  const body = { metadata: { annotations: { [nodeAnnotation]: node } } };
  return virtualIpSchema.parse(
    (await client.request({ method: "PATCH", path, body, contentType: patchTypes.merge })).body,
  );
}

async function readVirtualIp(client: ApiClient, name: string): Promise<VirtualIP | undefined> {
  return virtualIpSchema.optional().parse(await getObject(client, ownPath("virtualips", name)));
}
