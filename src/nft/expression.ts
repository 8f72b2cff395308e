import type { Data } from "./data.ts";
import type { DataType } from "./data-type.ts";
import { type FieldName, fieldOf } from "./field.ts";
import type { NftSet } from "./set.ts";

/** What a rule computes from a packet, as nft(8) has it: one level above the kernel's expressions, without registers. */
export type Expression =
  | { readonly kind: "field"; readonly name: FieldName }
  | { readonly kind: "constant"; readonly type: DataType; readonly data: Data }
  /** `&`: the bits of `of` that are in `bits`. `|`: the same, with all of `bits`. For fields of at most 4 bytes. */
  | { readonly kind: "bitwise"; readonly of: Expression; readonly operator: "&" | "|"; readonly bits: number }
  /** A random number from 0, below `modulus`. */
  | { readonly kind: "numgen"; readonly modulus: number }
  /** Jenkins' hash of a concatenation, from `offset` (default 0), below offset + modulus. The seed is never drawn by the kernel. */
  | {
      readonly kind: "jhash";
      readonly of: readonly Expression[];
      readonly modulus: number;
      readonly seed: number;
      readonly offset?: number;
    }
  /** The data of the element with this key. A packet without one does not match. */
  | { readonly kind: "map"; readonly key: readonly Expression[]; readonly map: NftSet };

export function field(name: FieldName): Expression {
  return { kind: "field", name };
}

/** Several fields as one key. */
export function concatenation(...names: readonly FieldName[]): readonly Expression[] {
  return names.map(field);
}

export function constant(type: DataType, data: Data): Expression {
  return { kind: "constant", type, data };
}

/** The types of what it computes: several for data of a map that is a concatenation. */
export function typesOf(expression: Expression): readonly DataType[] {
  switch (expression.kind) {
    case "field":
      return [fieldOf(expression.name).type];
    case "constant":
      return [expression.type];
    case "bitwise":
      return typesOf(expression.of);
    case "numgen":
    case "jhash":
      return ["integer"];
    case "map": {
      const { data } = expression.map;
      return data === undefined || data === "verdict" ? [] : data;
    }
  }
}

/** The type of an expression with one value. */
export function typeOf(expression: Expression): DataType {
  return typesOf(expression)[0] ?? "integer";
}
