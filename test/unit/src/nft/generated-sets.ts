import fc from "fast-check";
import { concatenate, type Data } from "../../../../src/nft/data.ts";
import { type DataType, dataTypes } from "../../../../src/nft/data-type.ts";
import { type Expression, field, typeOf } from "../../../../src/nft/expression.ts";
import type { FieldName } from "../../../../src/nft/field.ts";
import type { NftElement, NftSet } from "../../../../src/nft/set.ts";
import { someValue } from "./generated-values.ts";

export function someKey(readable: readonly FieldName[], protocolField: FieldName): fc.Arbitrary<readonly FieldName[]> {
  // nft(8) refuses a protocol in a key behind a match of the protocol that leaves nothing to look up.
  return fc.subarray(
    [...readable].filter((name) => name !== protocolField && typeOf(field(name)) !== "hop_limit"),
    { minLength: 1, maxLength: 3 },
  );
}

interface SetDraft {
  readonly key: readonly Expression[];
  readonly declare: (name: string) => NftSet;
  readonly elements: readonly NftElement[];
}

export function someSet(
  names: readonly FieldName[],
  data: fc.Arbitrary<NftElement["data"]> | undefined,
  dataType: NftSet["data"],
): fc.Arbitrary<SetDraft> {
  const key = names.map(field);
  const types = key.map(typeOf);
  const someElementKey = fc.tuple(...types.map(someValue)).map(concatenate);
  // nft 1.0.6 refuses ranges of a map whose verdict leads to a chain of the same file.
  const ranged = dataType !== "verdict" && types.every((type) => rangeTypes.includes(type));
  return fc
    .record({
      keys: fc.uniqueArray(someElementKey, { maxLength: 5 }),
      ends: someElementKey,
      interval: ranged ? fc.boolean() : fc.constant(false),
      data: data === undefined ? fc.constant([]) : fc.array(data, { minLength: 5, maxLength: 5 }),
    })
    .map(({ keys, ends, interval, data: values }) => {
      const range = interval ? rangeOf(types, keys[0] ?? ends, ends) : undefined;
      const elements: readonly NftElement[] = range === undefined ? keys.map((one) => ({ key: one })) : [range];
      return {
        key,
        declare: (name): NftSet => ({
          name,
          key: types,
          ...(dataType === undefined ? {} : { data: dataType }),
          ...(interval ? { interval: true } : {}),
        }),
        elements: elements.map((element, index) => {
          const value = values[index];
          return value === undefined ? element : { ...element, data: value };
        }),
      };
    });
}

/** Types of which nft(8) takes ranges, and protocols, which stay single. */
const rangeTypes: readonly DataType[] = ["ipv4_addr", "ipv6_addr", "inet_service", "inet_proto"];

/** From the smaller to the larger value of each part; protocols are no ranges in nft's language. Only one range, because ranges must not overlap. */
function rangeOf(types: readonly DataType[], one: Data, other: Data): NftElement {
  const parts = (data: Data) => {
    let start = 0;
    return types.map((type) => {
      const part = data.slice(start, start + dataTypes[type].length);
      start += Math.ceil(dataTypes[type].length / 4) * 4;
      return part;
    });
  };
  const pairs = parts(one).map((part, index) =>
    [part, types[index] === "inet_proto" ? part : (parts(other)[index] ?? part)].sort(),
  );
  return { key: concatenate(pairs.map(([low = ""]) => low)), keyEnd: concatenate(pairs.map(([, high = ""]) => high)) };
}
