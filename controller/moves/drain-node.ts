import { drainAnnotation } from "../../src/api/labels.ts";
import { type VirtualIP, virtualIpSchema } from "../../src/api/virtual-ip.ts";
import { pause } from "../../src/clock/clock.ts";
import { BellhopError } from "../../src/error/error.ts";
import { isNotFound } from "../../src/kube/api-error.ts";
import { type ApiClient, patchTypes } from "../../src/kube/client.ts";
import { listCollection } from "../../src/kube/list.ts";
import { ownPath } from "../../src/kube/path.ts";
import { type Reason, reasonOf } from "../../src/model/reason.ts";
import type { ReadOptions } from "../collect/read-cluster.ts";
import { type AddressLeft, addressesLeft, isOn } from "./addresses-left.ts";
import { readMovesInput } from "./moves-input.ts";
import { controllerAbsent } from "./refuse-move.ts";

/** How a node was drained; plain data, as `-o json` prints it. */
export interface DrainReport {
  readonly node: string;
  /** How many addresses have moved to other nodes. */
  readonly moved: number;
  /** What is left there, each with its reason. */
  readonly left: readonly (Omit<AddressLeft, "stays"> & { readonly reason: Reason })[];
}

export interface DrainOptions extends ReadOptions {
  readonly node: string;
  /** How long to wait until no address is left that another node can announce. */
  readonly timeoutMs: number;
  /** Receives a call whenever addresses have moved. */
  readonly onProgress: (moved: number, all: number) => void;
}

const pollMs = 1_000;

/**
 * Drains a node: other nodes announce its addresses, and it gets no more. Waits until they have moved. Those that no other node can announce
 * stay and are reported. The node stays drained until `undrainNode`. Throws ObjectNotFound if the node has no Speaker, and what the client throws.
 */
export async function drainNode(options: DrainOptions): Promise<DrainReport> {
  const { client, node, clock, timeoutMs, onProgress } = options;
  await setDrained(client, node, true);
  const input = await readMovesInput(options);
  const all = addressesLeft(input, node);
  const names = new Set(all.filter(({ stays }) => stays === undefined).map(({ virtualIp }) => virtualIp));
  const absent = controllerAbsent(input);
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  const count = names.size;
  while (names.size > 0 && absent === undefined && clock.monotonicMs() < deadlineMs) {
    const before = names.size;
    const present = await readVirtualIps(client);
    for (const name of names) if (!isLeft(present.get(name), node)) names.delete(name);
    if (names.size < before) onProgress(count - names.size, all.length);
    if (names.size > 0) await pause(clock, pollMs);
  }
  const left = all.flatMap(({ stays, ...about }) => {
    const value = node;
    const notYet = absent ?? reasonOf("NotMovedYet", { object: `VirtualIP ${about.virtualIp}`, field: "", value });
    const reason = stays ?? (names.has(about.virtualIp) ? notYet : undefined);
    return reason === undefined ? [] : [{ ...about, reason }];
  });
  return { node, moved: all.length - left.length, left };
}

/** The node may announce addresses again. Does not wait until it does. Throws as `drainNode`. */
export function undrainNode({ client, node }: Pick<DrainOptions, "client" | "node">): Promise<void> {
  return setDrained(client, node, false);
}

function isLeft(object: VirtualIP | undefined, node: string): boolean {
  return object !== undefined && isOn(object, node);
}

async function setDrained(client: ApiClient, node: string, drained: boolean): Promise<void> {
  const path = ownPath("speakers", node);
  const body = { metadata: { annotations: { [drainAnnotation]: drained ? "true" : null } } };
  try {
    await client.request({ method: "PATCH", path, body, contentType: patchTypes.merge });
  } catch (cause) {
    if (!isNotFound(cause)) throw cause;
    const message = `Speaker ${node} does not exist, so the node announces no addresses; to list all: kubectl get speakers`;
    throw new BellhopError("ObjectNotFound", message);
  }
}

async function readVirtualIps(client: ApiClient): Promise<ReadonlyMap<string, VirtualIP>> {
  const found = new Map<string, VirtualIP>();
  const take = (raw: unknown): void => {
    const { data } = virtualIpSchema.safeParse(raw);
    if (data !== undefined) found.set(data.metadata.name, data);
  };
  await listCollection(client, { path: ownPath("virtualips"), take });
  return found;
}
