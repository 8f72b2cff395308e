import assert from "node:assert/strict";
import { test } from "node:test";
import { ipAddressPoolSchema } from "../../../../src/api/ip-address-pool.ts";
import { parseObject } from "../../../../src/kube/parse-object.ts";
import { InvalidObject } from "../../../../src/kube/view-store.ts";

const parse = parseObject(ipAddressPoolSchema);

test("fills in what the API server would, and gives something frozen", () => {
  const pool = parse({ metadata: { name: "lan" }, spec: { addresses: ["192.0.2.1"] } });
  assert.ok(!(pool instanceof InvalidObject));
  assert.deepEqual([pool.spec.autoAssign, pool.spec.avoidBuggyIPs], [true, false]);
  assert.ok(Object.isFrozen(pool));
});

const cases = [
  { name: "a wrong type", spec: { addresses: 7 }, tells: /spec\.addresses is 7/ },
  { name: "nothing", spec: undefined, tells: /spec is missing/ },
  { name: "an empty list", spec: { addresses: [] }, tells: /spec\.addresses is \[\]/ },
  { name: "deep inside", spec: { addresses: ["a", 3] }, tells: /spec\.addresses\.1 is 3/ },
];
for (const { name, spec, tells } of cases) {
  test(`names field and value: ${name}`, () => {
    const fault = parse({ metadata: { name: "lan" }, spec });
    assert.ok(fault instanceof InvalidObject);
    assert.match(fault.message, tells);
  });
}

test("a long value is cut at a whole character", () => {
  for (const before of ["", "x"]) {
    const fault = parse({ metadata: { name: "lan" }, spec: { addresses: `${before}${"😀".repeat(100)}` } });
    assert.ok(fault instanceof InvalidObject);
    assert.ok(fault.message.isWellFormed() && fault.message.length < 250, fault.message);
  }
});
