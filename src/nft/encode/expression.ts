import { numberData } from "../data.ts";
import { dataTypes, lengthOf, registersOf } from "../data-type.ts";
import { type Expression, typeOf, typesOf } from "../expression.ts";
import { type FieldName, fieldOf } from "../field.ts";
import { payloadBases, registers } from "./attributes.ts";
import type { ExpressionWriter } from "./expression-writer.ts";

/** The number of a register of 4 bytes, counted from 0. */
export function register(at: number): number {
  return registers.first + at;
}

/** Writes what computes the expression into the registers from `at` on. */
export function loadExpression(writer: ExpressionWriter, expression: Expression, at: number): void {
  switch (expression.kind) {
    case "field":
      loadField(writer, expression.name, at);
      break;
    case "constant":
      writer.add("immediate", [[1, register(at)]], { values: [[2, expression.data]] });
      break;
    case "bitwise":
      loadExpression(writer, expression.of, at);
      writeBitwise(writer, expression, at);
      break;
    case "numgen":
      writer.add("numgen", [
        [1, register(at)],
        [2, expression.modulus],
        // NFT_NG_RANDOM
        [3, 1],
        [4, 0],
      ]);
      break;
    case "jhash": {
      const { of, modulus, seed, offset } = expression;
      loadKey(writer, of, at + 1);
      writer.add("hash", [
        [1, register(at + 1)],
        [2, register(at)],
        [3, lengthOf(of.map(typeOf))],
        [4, modulus],
        [5, seed],
        [6, offset],
        // NFT_HASH_JENKINS
        [7, 0],
      ]);
      break;
    }
    case "map": {
      loadKey(writer, expression.key, at);
      const numbers = [[2, register(at)] as const, [3, register(at)] as const];
      writer.add("lookup", numbers, { texts: [[1, expression.map.name]] });
    }
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

function loadField(writer: ExpressionWriter, name: FieldName, at: number): void {
  const field = fieldOf(name);
  switch (field.from) {
    case "payload":
      writer.add("payload", [
        [1, register(at)],
        [2, payloadBases[field.base]],
        [3, field.offset],
        [4, dataTypes[field.type].length],
      ]);
      break;
    case "meta":
      writer.add("meta", [
        [2, field.key],
        [1, register(at)],
      ]);
      break;
    case "ct":
      writer.add(
        "ct",
        [
          [1, register(at)],
          [2, field.key],
        ],
        field.direction === undefined ? {} : { bytes: [[3, field.direction]] },
      );
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
  const numbers = [[1, register(at)] as const, [2, register(at)] as const, [3, dataTypes[type].length] as const];
  writer.add("bitwise", numbers, {
    values: [
      [4, numberData(type, mask)],
      [5, numberData(type, xor)],
    ],
  });
}
