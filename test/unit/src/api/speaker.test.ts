import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { peersOf, speakerSchema } from "../../../../src/api/speaker.ts";

const peers = { bootNonce: "b1", hearing: ["n2"], lost: ["n3"] };
const cases: readonly { readonly name: string; readonly status: unknown; readonly expected: unknown }[] = [
  { name: "counts with the bootNonce of the speaker", status: { bootNonce: "b1", peers }, expected: peers },
  { name: "of an earlier start does not count", status: { bootNonce: "b2", peers }, expected: undefined },
  { name: "is undefined where the speaker reports none", status: { bootNonce: "b1" }, expected: undefined },
  { name: "is undefined before the first report", status: undefined, expected: undefined },
];

describe("what a speaker reports of its peers", () => {
  for (const { name, status, expected } of cases) {
    test(name, () => {
      assert.deepEqual(peersOf(speakerSchema.parse({ metadata: { name: "n1" }, status })), expected);
    });
  }
});
