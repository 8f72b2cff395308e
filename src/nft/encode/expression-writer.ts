import type { MessageWriter } from "../../netlink/message-writer.ts";
import type { Data } from "../data.ts";
import { chainOf, type Verdict } from "../verdict.ts";
import { dataAttributes, expressionAttributes, listElement, verdictCodes } from "./attributes.ts";
import { type AttributeKind, expressionLayouts } from "./expression-layouts.ts";

type Layouts = typeof expressionLayouts;

interface AttributeValues {
  readonly u8: number;
  readonly u32: number;
  /** Milliseconds. */
  readonly time: number;
  readonly text: string;
  readonly data: Data | Verdict;
}

type ValueOf<Layout> = Layout extends readonly [number, infer Kind extends AttributeKind]
  ? AttributeValues[Kind]
  : never;

/** The attributes of one expression; what is undefined is left out. */
type ExpressionValues<Name extends keyof Layouts> = {
  readonly [Attribute in keyof Layouts[Name]]?: ValueOf<Layouts[Name][Attribute]> | undefined;
};

/** Writes expressions of the kernel into the list of a rule. Registers are numbers of linux/netfilter/nf_tables.h. */
export class ExpressionWriter {
  readonly #attributes: MessageWriter;

  /** The list must have been begun. */
  constructor(attributes: MessageWriter) {
    this.#attributes = attributes;
  }

  add<Name extends keyof Layouts>(name: Name, values: ExpressionValues<Name>): void {
    const writer = this.#attributes;
    const element = writer.beginNested(listElement);
    writer.text(expressionAttributes.name, name);
    const data = writer.beginNested(expressionAttributes.data);
    const layout: Readonly<Record<string, readonly [number, AttributeKind]>> = expressionLayouts[name];
    for (const [attribute, value] of Object.entries<number | Data | Verdict | undefined>(values)) {
      const [type, kind] = layout[attribute] ?? [0, "data"];
      if (value !== undefined) this.#write(type, kind, value);
    }
    writer.endNested(data);
    writer.endNested(element);
  }

  #write(type: number, kind: AttributeKind, value: number | Data | Verdict): void {
    const writer = this.#attributes;
    if (typeof value === "number") {
      if (kind === "u8") writer.u8(type, value);
      else if (kind === "time") writer.u64Be(type, BigInt(value));
      else writer.u32Be(type, value);
    } else if (kind === "text" && typeof value === "string") writer.text(type, value);
    else writeData(writer, type, value);
  }
}

/** Data or a verdict as an attribute of this type. */
export function writeData(writer: MessageWriter, type: number, data: Data | Verdict): void {
  const start = writer.beginNested(type);
  if (typeof data === "string") writer.byteString(dataAttributes.value, data);
  else {
    const verdict = writer.beginNested(dataAttributes.verdict);
    writer.i32Be(dataAttributes.code, verdictCodes[data.kind]);
    const chain = chainOf(data);
    if (chain !== undefined) writer.text(dataAttributes.chain, chain);
    writer.endNested(verdict);
  }
  writer.endNested(start);
}
