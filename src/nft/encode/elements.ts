import type { BatchWriter } from "../../netlink/batch-writer.ts";
import { align, attributeHeaderLength } from "../../netlink/layout.ts";
import type { MessageWriter } from "../../netlink/message-writer.ts";
import { netfilterFamilies } from "../../netlink/netfilter.ts";
import type { Data } from "../data.ts";
import { PackedElements } from "../packed-elements.ts";
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
  table: NftTable,
  set: NftSet,
  elements: NftElements,
): void {
  const lists = new ElementLists(batch, verb, table, set);
  if (elements instanceof PackedElements && verb === "add") addPacked(batch.attributes, lists, set, elements);
  else {
    for (const element of elements) {
      lists.makeRoom();
      writeElement(batch.attributes, verb, set, element);
    }
  }
  lists.end();
}

/** The lists of one command, or of several where one list is full. */
class ElementLists {
  readonly #batch: BatchWriter;
  readonly #verb: "add" | "delete";
  readonly #table: NftTable;
  readonly #set: NftSet;
  /** Marks of what is begun. */
  #begun: { readonly command: number; readonly list: number } | undefined;

  constructor(batch: BatchWriter, verb: "add" | "delete", table: NftTable, set: NftSet) {
    this.#batch = batch;
    this.#verb = verb;
    this.#table = table;
    this.#set = set;
  }

  /** Call it before each element. */
  makeRoom(): void {
    if (this.#begun !== undefined && this.#batch.attributes.lengthSince(this.#begun.list) < listLength) return;
    this.end();
    const { family, name } = this.#table;
    const [message, flags] =
      this.#verb === "add" ? [messages.newElements, createFlags.create] : [messages.deleteElements, 0];
    const words = `${this.#verb} elements of ${family} ${name} ${this.#set.name}`;
    const command = this.#batch.beginCommand(words, message, netfilterFamilies[family], flags);
    const writer = this.#batch.attributes;
    writer.text(elementListAttributes.table, name);
    writer.text(elementListAttributes.set, this.#set.name);
    this.#begun = { command, list: writer.beginNested(elementListAttributes.elements) };
  }

  end(): void {
    if (this.#begun === undefined) return;
    this.#batch.attributes.endNested(this.#begun.list);
    this.#batch.endCommand(this.#begun.command);
    this.#begun = undefined;
  }
}

/** The first element is written as any other. Each further one is a copy of it with another key and other data: there may be hundreds of thousands. */
function addPacked(
  writer: MessageWriter,
  lists: ElementLists,
  set: NftSet,
  { lengths, strings }: PackedElements,
): void {
  const { key, data } = lengths;
  // In the element, in the attribute of its key, in that of the value; and again.
  const keyAt = 3 * attributeHeaderLength;
  const dataAt = keyAt + align(key) + 2 * attributeHeaderLength;
  let first: { readonly start: number; readonly length: number } | undefined;
  for (const string of strings) {
    for (let at = 0; at < string.length; at += key + data) {
      lists.makeRoom();
      if (first === undefined) {
        const start = writer.length;
        const [element = { key: "" }] = new PackedElements(lengths, [string]);
        writeElement(writer, "add", set, element);
        first = { start, length: writer.lengthSince(start) };
      } else {
        const start = writer.repeat(first.start, first.length);
        writer.overwrite(start + keyAt, string, at, at + key);
        if (data > 0) writer.overwrite(start + dataAt, string, at + key, at + key + data);
      }
    }
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
