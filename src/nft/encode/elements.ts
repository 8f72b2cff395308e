import type { BatchWriter } from "../../netlink/batch-writer.ts";
import type { MessageWriter } from "../../netlink/message-writer.ts";
import { netfilterFamilies } from "../../netlink/netfilter.ts";
import type { Data } from "../data.ts";
import type { NftElement, NftElements, NftSet } from "../set.ts";
import type { NftTable } from "../transaction.ts";
import {
  createFlags,
  dataAttributes,
  elementAttributes,
  elementListAttributes,
  intervalEnd,
  listElement,
  messages,
} from "./attributes.ts";
import { writeData } from "./expression-writer.ts";

/** A list is one attribute, which has at most 65,535 bytes; a new message begins before this, so that the longest element fits. */
const listLength = 64_000;

/** Writes elements as one command, or as several when they are many. Deletions have keys alone. */
export function writeElements(
  batch: BatchWriter,
  verb: "add" | "delete",
  { family, name }: NftTable,
  set: NftSet,
  elements: NftElements,
): void {
  const [message, flags] = verb === "add" ? [messages.newElements, createFlags.create] : [messages.deleteElements, 0];
  const writer = batch.attributes;
  const iterator = elements[Symbol.iterator]();
  let next = iterator.next();
  while (next.done !== true) {
    const command = batch.beginCommand(
      `${verb} elements of ${family} ${name} ${set.name}`,
      message,
      netfilterFamilies[family],
      flags,
    );
    writer.text(elementListAttributes.table, name);
    writer.text(elementListAttributes.set, set.name);
    const list = writer.beginNested(elementListAttributes.elements);
    for (; next.done !== true && writer.lengthSince(list) < listLength; next = iterator.next())
      writeElement(writer, verb, set, next.value);
    writer.endNested(list);
    batch.endCommand(command);
  }
}

/**
 * Ranges of concatenations are one element with two keys, both included. Those of one type are two: the first key, and, with a flag, the
 * first one behind the last; without an end they reach up to the highest.
 */
function writeElement(writer: MessageWriter, verb: "add" | "delete", set: NftSet, element: NftElement): void {
  const plain = set.interval === true && set.key.length === 1;
  const start = writer.beginNested(listElement);
  writeKey(writer, elementAttributes.key, element.key);
  if (element.keyEnd !== undefined && !plain) writeKey(writer, elementAttributes.keyEnd, element.keyEnd);
  if (verb === "add") {
    if (element.data !== undefined) writeData(writer, elementAttributes.data, element.data);
    if (element.timeoutMs !== undefined) writer.u64Be(elementAttributes.timeout, BigInt(element.timeoutMs));
  }
  writer.endNested(start);
  if (!plain) return;
  const behind = following(element.keyEnd ?? element.key);
  if (behind === undefined) return;
  const end = writer.beginNested(listElement);
  writeKey(writer, elementAttributes.key, behind);
  writer.u32Be(elementAttributes.flags, intervalEnd);
  writer.endNested(end);
}

function writeKey(writer: MessageWriter, type: number, key: Data): void {
  const start = writer.beginNested(type);
  writer.byteString(dataAttributes.value, key);
  writer.endNested(start);
}

/** The next larger value in network order; undefined behind the largest. */
function following(data: Data): Data | undefined {
  for (let index = data.length - 1; index >= 0; index--) {
    const byte = data.charCodeAt(index);
    if (byte < 0xff) return data.slice(0, index) + String.fromCharCode(byte + 1) + "\0".repeat(data.length - 1 - index);
  }
  return undefined;
}
