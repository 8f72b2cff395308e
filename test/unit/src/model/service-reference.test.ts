import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { refersTo, serviceKeyOf } from "../../../../src/model/service-reference.ts";

describe("a reference to a Service", () => {
  const service = { key: "shop/web", uid: "u2" };
  for (const { name, reference, expected } of [
    { name: "the same name and uid", reference: { namespace: "shop", name: "web", uid: "u2" }, expected: true },
    { name: "the same name without uid", reference: { namespace: "shop", name: "web" }, expected: true },
    {
      name: "an earlier Service of the name",
      reference: { namespace: "shop", name: "web", uid: "u1" },
      expected: false,
    },
    { name: "another namespace", reference: { namespace: "dev", name: "web" }, expected: false },
    { name: "another name", reference: { namespace: "shop", name: "api", uid: "u2" }, expected: false },
  ]) {
    test(`${name}: ${expected}`, () => assert.equal(refersTo(reference, service), expected));
  }

  test("its key is namespace/name", () => assert.equal(serviceKeyOf({ namespace: "shop", name: "web" }), "shop/web"));
});
