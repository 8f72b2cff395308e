import type { IpAddress } from "../../src/ip/address.ts";
import { hostIsLittleEndian } from "../../src/netlink/byte-order.ts";
import { type Data, dataAddress, dataNumber, dataProtocol, protocolNumbers, splitData } from "../../src/nft/data.ts";
import { lengthOf } from "../../src/nft/data-type.ts";
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
  const layout: BlockLayout | undefined = (layouts[family] as Partial<Record<SetName, BlockLayout>>)[set];
  if (layout === undefined) throw new RangeError(`${set} has no endpoints`);
  return layout;
}

export function hasEndpoints(element: Element): element is EndpointElement {
  return element.set in layouts.ip;
}

export function makeBlock(element: EndpointElement): EndpointBlock {
  const { key, data } = layouts[element.family][element.set];
  const bytes = Buffer.allocUnsafe(element.value.length * (key + data));
  let at = 0;
  for (const [index, { address, port }] of element.value.entries()) {
    at = writeAddress(bytes, at, element.key.address);
    if (element.set === "remote_endpoints") at = writeRegister(bytes, at, protocolNumbers[element.key.protocol] << 24);
    else {
      at = writeRegister(bytes, at, element.key.port << 16);
      at = writeRegister(bytes, at, inHostOrder(index));
    }
    at = writeAddress(bytes, at, address);
    at = writeRegister(bytes, at, port << 16);
  }
  return bytes.toString("latin1");
}

function writeAddress(bytes: Uint8Array, at: number, { family, value }: IpAddress): number {
  if (family === "IPv4") return writeRegister(bytes, at, Number(value));
  let next = at;
  for (let shift = 96n; shift >= 0n; shift -= 32n)
    next = writeRegister(bytes, next, Number((value >> shift) & 0xffff_ffffn));
  return next;
}

/** 4 bytes, the highest first. Returns where the next one begins. */
function writeRegister(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
  return at + 4;
}

/** A number whose bytes, the highest first, are those of the machine's order. */
function inHostOrder(number: number): number {
  if (!hostIsLittleEndian) return number;
  return (number << 24) | ((number & 0xff00) << 8) | ((number >>> 8) & 0xff00) | (number >>> 24);
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
  const common = new Set<Data>();
  for (let at = 0; at < other.length; at += key + data) common.add(other.slice(at, at + key + data));
  const parts: Data[] = [];
  for (let at = 0; at < block.length; at += key + data) {
    const one = block.slice(at, at + key + data);
    if (!common.has(one)) parts.push(one);
  }
  return parts.join("");
}
