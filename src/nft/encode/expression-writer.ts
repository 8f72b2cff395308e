import type { MessageWriter } from "../../netlink/message-writer.ts";
import type { Data } from "../data.ts";
import type { Verdict } from "../verdict.ts";
import { dataAttributes, expressionAttributes, listElement, verdictCodes } from "./attributes.ts";

/** Writes expressions of the kernel into the list of a rule. Registers are numbers of linux/netfilter/nf_tables.h. */
export class ExpressionWriter {
  readonly #attributes: MessageWriter;

  /** The list must have been begun. */
  constructor(attributes: MessageWriter) {
    this.#attributes = attributes;
  }

  /**
   * One expression with attributes of 32 bits, in order; what is undefined is left out. `values` are attributes that are data, and `bytes` are those of
   * 8 bits.
   */
  add(
    name: string,
    numbers: readonly (readonly [type: number, value: number | undefined])[],
    rest: {
      readonly values?: readonly (readonly [type: number, data: Data | Verdict])[];
      readonly bytes?: readonly (readonly [type: number, value: number])[];
      readonly texts?: readonly (readonly [type: number, value: string])[];
      readonly times?: readonly (readonly [type: number, timeMs: number])[];
    } = {},
  ): void {
    const writer = this.#attributes;
    const element = writer.beginNested(listElement);
    writer.text(expressionAttributes.name, name);
    const data = writer.beginNested(expressionAttributes.data);
    for (const [type, text] of rest.texts ?? []) writer.text(type, text);
    for (const [type, value] of numbers) if (value !== undefined) writer.u32Be(type, value);
    for (const [type, value] of rest.bytes ?? []) writer.u8(type, value);
    for (const [type, timeMs] of rest.times ?? []) writer.u64Be(type, BigInt(timeMs));
    for (const [type, value] of rest.values ?? []) writeData(writer, type, value);
    writer.endNested(data);
    writer.endNested(element);
  }
}

/** Data or a verdict as an attribute of this type. */
export function writeData(writer: MessageWriter, type: number, data: Data | Verdict): void {
  const start = writer.beginNested(type);
  if (typeof data === "string") writer.byteString(dataAttributes.value, data);
  else {
    const verdict = writer.beginNested(dataAttributes.verdict);
    writer.i32Be(dataAttributes.code, verdictCodes[data.kind]);
    if (data.kind === "goto" || data.kind === "jump") writer.text(dataAttributes.chain, data.chain);
    writer.endNested(verdict);
  }
  writer.endNested(start);
}
