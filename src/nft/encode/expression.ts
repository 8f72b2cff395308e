import { numberData } from "../data.ts";
import { dataTypes, lengthOf, registersOf } from "../data-type.ts";
import { type Expression, typeOf, typesOf } from "../expression.ts";
import { type FieldName, fieldOf } from "../field.ts";
import { payloadBases, registers } from "./attributes.ts";
import { expressionValues } from "./expression-layouts.ts";
import type { ExpressionWriter } from "./expression-writer.ts";

/** The number of a register of 4 bytes, counted from 0. */
export function register(at: number): number {
  return registers.first + at;
}

/** Writes what computes the expression into the registers from `at` on. */
export function loadExpression(writer: ExpressionWriter, expression: Expression, at: number): void {
  const destination = register(at);
  switch (expression.kind) {
    case "field":
      loadField(writer, expression.name, destination);
      break;
    case "constant":
      writer.add("immediate", { destination, data: expression.data });
      break;
    case "bitwise":
      loadExpression(writer, expression.of, at);
      writeBitwise(writer, expression, destination);
      break;
    case "numgen":
      writer.add("numgen", { destination, modulus: expression.modulus, type: expressionValues.random, offset: 0 });
      break;
    case "jhash": {
      const { of, modulus, seed, offset } = expression;
      // The source lies behind the result, which may be a part of a key.
      loadKey(writer, of, at + 1);
      const length = lengthOf(of.map(typeOf));
      const source = register(at + 1);
      writer.add("hash", { source, destination, length, modulus, seed, offset, type: expressionValues.jenkins });
      break;
    }
    case "map":
      loadKey(writer, expression.key, at);
      writer.add("lookup", { set: expression.map.name, source: destination, destination });
  }
}

/** A concatenation: each part begins at a register. Returns the register behind it. */
export function loadKey(writer: ExpressionWriter, key: readonly Expression[], at: number): number {
  let next = at;
  for (const part of key) {
    loadExpression(writer, part, next);
    next += registersOf(lengthOf(typesOf(part)));
  }
  return next;
}

function loadField(writer: ExpressionWriter, name: FieldName, destination: number): void {
  const field = fieldOf(name);
  switch (field.from) {
    case "payload": {
      const { offset, type } = field;
      writer.add("payload", { destination, base: payloadBases[field.base], offset, length: dataTypes[type].length });
      break;
    }
    case "meta":
      writer.add("meta", { destination, key: field.key });
      break;
    case "ct":
      writer.add("ct", { destination, key: field.key, direction: field.direction });
  }
}

/** The kernel computes (value & mask) ^ xor. */
function writeBitwise(
  writer: ExpressionWriter,
  expression: Extract<Expression, { readonly kind: "bitwise" }>,
  at: number,
): void {
  const { operator, bits } = expression;
  const type = typeOf(expression);
  const [mask, xor] = operator === "&" ? [bits, 0] : [~bits >>> 0, bits];
  writer.add("bitwise", {
    source: at,
    destination: at,
    length: dataTypes[type].length,
    mask: numberData(type, mask),
    xor: numberData(type, xor),
  });
}
