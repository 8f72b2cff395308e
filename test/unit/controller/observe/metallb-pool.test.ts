import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { projectMetallbAdvertisement } from "../../../../controller/observe/metallb-advertisement.ts";
import { projectMetallbPool } from "../../../../controller/observe/metallb-pool.ts";
import { RefusedObject } from "../../../../controller/observe/refused-object.ts";
import { InvalidObject } from "../../../../src/kube/view-store.ts";

test("a CIDR of MetalLB's with host bits set means its network, as there", () => {
  const pool = projectMetallbPool({
    metadata: { name: "lan", namespace: "metallb-system" },
    spec: { addresses: ["192.0.2.77/24", "2001:db8::5/120", "192.0.2.1-192.0.2.3"] },
  });
  assert.ok("spec" in pool);
  assert.deepEqual(pool.spec.addresses, ["192.0.2.0-192.0.2.255", "2001:db8::-2001:db8::ff", "192.0.2.1-192.0.2.3"]);
});

const metadata = { name: "lan", namespace: "metallb-system" };
const selector = { matchLabels: { app: "web" }, matchExpressions: [{ key: "zone", operator: "In", values: ["a"] }] };

describe("fields of MetalLB's objects", () => {
  for (const { name, project, spec, unknown } of [
    {
      name: "every field of a pool of MetalLB 0.13 to 0.16",
      project: projectMetallbPool,
      spec: {
        addresses: ["192.0.2.0/24"],
        autoAssign: false,
        avoidBuggyIPs: true,
        serviceAllocation: {
          priority: 0,
          namespaces: ["shop"],
          namespaceSelectors: [selector],
          serviceSelectors: [selector],
        },
      },
      unknown: undefined,
    },
    {
      name: "every field of an advertisement of MetalLB 0.13 to 0.16",
      project: projectMetallbAdvertisement,
      spec: {
        ipAddressPools: ["lan"],
        ipAddressPoolSelectors: [selector],
        nodeSelectors: [selector],
        interfaces: ["eth0"],
        serviceSelectors: [selector],
        preferredNodeSelectors: [{ weight: 100, preference: selector }],
      },
      unknown: undefined,
    },
    {
      name: "an advertisement without spec",
      project: projectMetallbAdvertisement,
      spec: undefined,
      unknown: undefined,
    },
    {
      name: "a field that is not known in a pool",
      project: projectMetallbPool,
      spec: { addresses: ["192.0.2.0/24"], reservedFor: "vip" },
      unknown: "spec.reservedFor",
    },
    {
      name: "a field of our own kind, which is not one of MetalLB",
      project: projectMetallbPool,
      spec: { addresses: ["192.0.2.0/24"], exclude: ["192.0.2.1"] },
      unknown: "spec.exclude",
    },
    {
      name: "a field that is not known, deep in a pool",
      project: projectMetallbPool,
      spec: { addresses: ["192.0.2.0/24"], serviceAllocation: { namespaces: ["shop"], zones: ["a"] } },
      unknown: "spec.serviceAllocation.zones",
    },
    {
      name: "a field that is not known in an advertisement",
      project: projectMetallbAdvertisement,
      spec: { ipAddressPools: ["lan"], vlans: [20] },
      unknown: "spec.vlans",
    },
    {
      name: "a field that is not known, in an item of a list",
      project: projectMetallbAdvertisement,
      spec: { nodeSelectors: [selector, { matchLabels: {}, matchFields: [] }] },
      unknown: "spec.nodeSelectors[1].matchFields",
    },
    {
      name: "a field with a name of Object.prototype",
      project: projectMetallbAdvertisement,
      spec: { constructor: {} },
      unknown: "spec.constructor",
    },
  ]) {
    test(`${name}: ${unknown ?? "honoured"}`, () => {
      const view = project({ metadata, ...(spec === undefined ? {} : { spec }) });
      if (unknown === undefined) {
        assert.ok(!(view instanceof InvalidObject), view instanceof InvalidObject ? view.message : "");
        return;
      }
      assert.ok(view instanceof RefusedObject);
      assert.equal(view.reason.code, "MetallbFieldUnknown");
      assert.equal(view.reason.field, unknown);
      assert.match(view.message, /metallb-system\/lan of MetalLB sets spec/);
    });
  }
});
