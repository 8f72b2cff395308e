import { Attributes } from "../netlink/attributes.ts";
import { hostIsLittleEndian } from "../netlink/byte-order.ts";
import { messageHeaderLength } from "../netlink/layout.ts";
import { netfilterHeaderLength } from "../netlink/netfilter.ts";

/** Where in a command the kernel found a fault. Plain data. */
export interface FaultLocation {
  /** For people: `chain`, "expression 2 `lookup`", "element 17". */
  readonly words: string;
  /** The element at fault, counted from 0 within its command, with its key as it was written. */
  readonly element?: { readonly index: number; readonly key: Uint8Array };
}

/** Messages of nf_tables by number (enum nf_tables_msg_types), and their attributes by number, as nft(8) calls them. */
const attributeNames: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  0: { 1: "table", 2: "flags" },
  2: { 1: "table" },
  3: { 1: "table", 3: "chain", 4: "hook", 5: "policy", 7: "type" },
  5: { 1: "table", 3: "chain" },
  6: { 1: "table", 2: "chain" },
  8: { 1: "table", 2: "chain" },
  9: { 1: "table", 2: "set", 3: "flags", 4: "key type", 5: "key length", 6: "data type", 9: "size", 17: "expression" },
  11: { 1: "table", 2: "set" },
  12: { 1: "table", 2: "set" },
  14: { 1: "table", 2: "set" },
};
const newRule = 6;
const elementMessages: ReadonlySet<number> = new Set([12, 14]);

/** NFTA_RULE_EXPRESSIONS, NFTA_EXPR_NAME; NFTA_SET_ELEM_LIST_ELEMENTS, NFTA_SET_ELEM_KEY, NFTA_DATA_VALUE. */
const ruleExpressions = 4;
const expressionName = 1;
const elementList = 3;
const elementParts: Readonly<Record<number, string>> = { 1: "key", 2: "data", 3: "flags", 10: "key end" };
const elementKey = 1;
const dataValue = 1;

/**
 * What is at `offset` bytes from the beginning of a command of nf_tables; undefined where that is nothing with a name. The bytes are our own: the
 * offset is the kernel's, and may be wrong.
 */
export function locateFault(command: Uint8Array, offset: number): FaultLocation | undefined {
  const view = new DataView(command.buffer, command.byteOffset, command.byteLength);
  if (command.length < messageHeaderLength) return undefined;
  const message = view.getUint16(4, hostIsLittleEndian) & 0xff;
  const top = attributeAt(new Attributes(command, messageHeaderLength + netfilterHeaderLength), command, offset);
  if (top === undefined) return undefined;
  if (message === newRule && top.type === ruleExpressions) return expressionAt(top.nested(), command, offset);
  if (elementMessages.has(message) && top.type === elementList) return elementAt(top.nested(), command, offset);
  const words = attributeNames[message]?.[top.type];
  return words === undefined ? undefined : { words };
}

function expressionAt(list: Attributes, command: Uint8Array, offset: number): FaultLocation {
  const found = attributeAt(list, command, offset);
  if (found === undefined) return { words: "expressions" };
  const name = found.nested().text(expressionName);
  return { words: `expression ${found.index + 1}${name === undefined ? "" : ` \`${name}\``}` };
}

function elementAt(list: Attributes, command: Uint8Array, offset: number): FaultLocation {
  const found = attributeAt(list, command, offset);
  if (found === undefined) return { words: "elements" };
  const { index } = found;
  const element = found.nested();
  const key = Uint8Array.from(element.nested(elementKey)?.bytes(dataValue) ?? []);
  const part = attributeAt(element, command, offset);
  const words = part === undefined ? undefined : elementParts[part.type];
  return { words: `${words === undefined ? "" : `${words} of `}element ${index + 1}`, element: { index, key } };
}

interface Found {
  readonly type: number;
  /** Its place among its siblings, from 0. */
  readonly index: number;
  nested(): Attributes;
}

/** The attribute that begins at the offset, or that contains it. */
function attributeAt(attributes: Attributes, command: Uint8Array, offset: number): Found | undefined {
  let index = 0;
  for (const { type, value, nested } of attributes) {
    const end = value.byteOffset - command.byteOffset + value.length;
    const start = value.byteOffset - command.byteOffset - 4;
    if (start <= offset && offset < end) return { type, index, nested };
    index += 1;
  }
  return undefined;
}
