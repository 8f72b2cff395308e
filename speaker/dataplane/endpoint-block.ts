import type { IpAddress } from "../../src/ip/address.ts";
import { hostIsLittleEndian } from "../../src/netlink/byte-order.ts";
import { type Data, dataAddress, dataNumber, dataProtocol, splitData } from "../../src/nft/data.ts";
import { lengthOf, registerLength } from "../../src/nft/data-type.ts";
import type { PackedLengths } from "../../src/nft/packed-elements.ts";
import type { NftIpFamily } from "../../src/nft/transaction.ts";
import type { Element, EndpointAddress, EndpointElement, SetName } from "./element.ts";
import { sets } from "./sets.ts";

/**
 * The endpoints of an element in the kernel's bytes: the key of each of the kernel's elements, with its data behind it. One string for all of them,
 * because a large cluster has hundreds of thousands.
 */
export type EndpointBlock = Data;

type EndpointSet = EndpointElement["set"];

/** What a block is of, and the lengths in it. */
export interface BlockLayout extends PackedLengths {
  readonly family: NftIpFamily;
  readonly set: EndpointSet;
}

function declareLayouts(family: NftIpFamily): Readonly<Record<EndpointSet, BlockLayout>> {
  const declare = (set: EndpointSet): BlockLayout => {
    const { key, data } = sets[family][set];
    return { family, set, key: lengthOf(key), data: data === undefined || data === "verdict" ? 0 : lengthOf(data) };
  };
  return {
    tcp_endpoints: declare("tcp_endpoints"),
    udp_endpoints: declare("udp_endpoints"),
    remote_endpoints: declare("remote_endpoints"),
  };
}

const layouts = { ip: declareLayouts("ip"), ip6: declareLayouts("ip6") } as const;

/** Throws RangeError for sets of other elements than endpoints. */
export function blockLayoutOf(family: NftIpFamily, set: SetName): BlockLayout {
  if (!isEndpointSet(set)) throw new RangeError(`${set} has no endpoints`);
  return layouts[family][set];
}

export function isEndpointSet(set: SetName): set is EndpointSet {
  return set in layouts.ip;
}

export function hasEndpoints(element: Element): element is EndpointElement {
  return isEndpointSet(element.set);
}

/** `head`: what all keys begin with. */
export function makeBlock(element: EndpointElement, head: Data): EndpointBlock {
  const { key, data } = layouts[element.family][element.set];
  const bytes = Buffer.allocUnsafe(element.value.length * (key + data));
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let at = 0;
  let number = 0;
  for (const { address, port } of element.value) {
    for (let index = 0; index < head.length; index++) bytes[at + index] = head.charCodeAt(index);
    at += head.length;
    if (element.set !== "remote_endpoints") {
      view.setUint32(at, number, hostIsLittleEndian);
      at += registerLength;
    }
    at = writeAddress(view, at, address);
    // A port fills half of a register.
    view.setUint32(at, port << 16);
    at += registerLength;
    number += 1;
  }
  return bytes.toString("latin1");
}

/** Returns where the next part begins. */
function writeAddress(view: DataView, at: number, { family, value }: IpAddress): number {
  if (family === "IPv4") {
    view.setUint32(at, Number(value));
    return at + 4;
  }
  view.setBigUint64(at, value >> 64n);
  view.setBigUint64(at + 8, value);
  return at + 16;
}

/** The element again. `head`: what the keys begin with. Endpoints of a part of a block are numbered from 0, too. */
export function readBlock({ family, set, ...lengths }: BlockLayout, head: Data, block: EndpointBlock): EndpointElement {
  const types = sets[family][set].key;
  const [first = "", second = ""] = splitData(types.slice(0, 2), head);
  const address = dataAddress(first);
  const start = set === "remote_endpoints" ? head.length : lengths.key;
  const value: EndpointAddress[] = [];
  for (let at = start; at < block.length; at += lengths.key + lengths.data) {
    const [pod = "", port = ""] = splitData([types[0] ?? "integer", "inet_service"], block.slice(at));
    value.push({ address: dataAddress(pod), port: dataNumber("inet_service", port) });
  }
  if (set === "remote_endpoints") return { family, set, key: { address, protocol: dataProtocol(second) }, value };
  return { family, set, key: { address, port: dataNumber("inet_service", second) }, value };
}

/** All endpoints of several blocks with the same head, each once. Of those with the same key, that of the first block counts. */
export function mergeBlocks({ key, data }: BlockLayout, blocks: readonly EndpointBlock[]): EndpointBlock {
  const known = new Set<Data>();
  const parts: Data[] = [];
  for (const block of blocks) {
    for (let at = 0; at < block.length; at += key + data) {
      const one = block.slice(at, at + key);
      if (!known.has(one)) parts.push(block.slice(at, at + key + data));
      known.add(one);
    }
  }
  return parts.join("");
}

/** The part of a block that another one does not have, or with other data. "": there is none. */
export function blockDifference({ key, data }: BlockLayout, block: EndpointBlock, other: EndpointBlock): EndpointBlock {
  const length = key + data;
  // Nearly always one endpoint of many differs. A key is in a block once: what both begin or end with is nowhere else in them.
  const start = sameStart(length, block, other);
  const end = sameEnd(length, block, other);
  const common = new Set<Data>();
  for (let at = start; at < other.length - end; at += length) common.add(other.slice(at, at + length));
  const parts: Data[] = [];
  for (let at = start; at < block.length - end; at += length) {
    const one = block.slice(at, at + length);
    if (!common.has(one)) parts.push(one);
  }
  return parts.join("");
}

/** How many bytes two blocks begin with alike, in whole elements of this length. */
function sameStart(length: number, left: EndpointBlock, right: EndpointBlock): number {
  const most = Math.min(left.length, right.length);
  let same = 0;
  while (same < most && left.charCodeAt(same) === right.charCodeAt(same)) same += 1;
  return same - (same % length);
}

/** The same of their ends. */
function sameEnd(length: number, left: EndpointBlock, right: EndpointBlock): number {
  const most = Math.min(left.length, right.length);
  let same = 0;
  while (same < most && left.charCodeAt(left.length - 1 - same) === right.charCodeAt(right.length - 1 - same))
    same += 1;
  return same - (same % length);
}
