import assert from "node:assert/strict";
import { test } from "node:test";
import { projectMetallbPool } from "../../../../controller/observe/metallb-pool.ts";

test("a CIDR of MetalLB's with host bits set means its network, as there", () => {
  const pool = projectMetallbPool({
    metadata: { name: "lan", namespace: "metallb-system" },
    spec: { addresses: ["192.0.2.77/24", "2001:db8::5/120", "192.0.2.1-192.0.2.3"] },
  });
  assert.ok("spec" in pool);
  assert.deepEqual(pool.spec.addresses, ["192.0.2.0-192.0.2.255", "2001:db8::-2001:db8::ff", "192.0.2.1-192.0.2.3"]);
});
