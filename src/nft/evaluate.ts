import { concatenate, type Data, dataNumber, numberData } from "./data.ts";
import { type Expression, typeOf } from "./expression.ts";
import { type FakeSet, type FakeTable, overlap } from "./fake-nft.ts";
import { jhash } from "./jhash.ts";
import type { NftElement, NftSet } from "./set.ts";
import { readField, type TracedConnection, type TracedPacket } from "./traced-packet.ts";

/** What an expression depends on. */
export interface EvaluationContext {
  readonly table: FakeTable;
  readonly packet: TracedPacket;
  readonly connection: TracedConnection;
  /** In [0, 1): what `numgen random` draws. */
  readonly random: () => number;
}

/** The bytes of the expression for this packet; undefined where it has no such field, or a map has no element for it. */
export function evaluate(expression: Expression, context: EvaluationContext): Data | undefined {
  switch (expression.kind) {
    case "field":
      return readField(expression.name, context.packet, context.connection);
    case "constant":
      return expression.data;
    case "bitwise": {
      const type = typeOf(expression);
      const data = evaluate(expression.of, context);
      if (data === undefined) return undefined;
      const value = dataNumber(type, data);
      return numberData(type, expression.operator === "&" ? value & expression.bits : value | expression.bits);
    }
    case "numgen":
      return numberData("integer", Math.floor(context.random() * expression.modulus));
    case "jhash": {
      const { of, seed, modulus, offset } = expression;
      const bytes = evaluateKey(of, context);
      return bytes === undefined ? undefined : numberData("integer", jhash(bytes, seed, modulus) + (offset ?? 0));
    }
    case "map": {
      const found = findElement(expression.map, expression.key, context)?.data;
      return typeof found === "string" ? found : undefined;
    }
  }
}

/** A concatenation; undefined as soon as one part is. */
export function evaluateKey(key: readonly Expression[], context: EvaluationContext): Data | undefined {
  const parts: Data[] = [];
  for (const part of key) {
    const data = evaluate(part, context);
    if (data === undefined) return undefined;
    parts.push(data);
  }
  return concatenate(parts);
}

/** The element of a set that the key of this packet belongs to. */
export function findElement(
  set: NftSet,
  key: readonly Expression[],
  context: EvaluationContext,
): NftElement | undefined {
  const found = context.table.sets.get(set.name);
  if (found === undefined) throw new TypeError(`no set ${set.name}`);
  const data = evaluateKey(key, context);
  return data === undefined ? undefined : lookUp(found, data);
}

function lookUp({ declaration, elements }: FakeSet, key: Data): NftElement | undefined {
  if (declaration.interval !== true) return elements.get(key);
  for (const element of elements.values()) if (overlap(declaration, element, { key })) return element;
  return undefined;
}
