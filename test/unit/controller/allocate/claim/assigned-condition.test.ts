import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  describeKept,
  isAssignedByBellhop,
  namesAssigned,
} from "../../../../../controller/allocate/claim/assigned-condition.ts";
import { type AddressReady, loadBalancerFinalizer } from "../../../../../src/model/service.ts";
import { address, serviceOf } from "../cases/allocation-case.ts";

interface ConditionCase {
  readonly name: string;
  readonly condition: AddressReady | undefined;
  /** Whether it says that we assigned addresses. */
  readonly assigned: boolean;
  /** Addresses that it names as assigned. */
  readonly names: readonly string[];
}

const refused = { status: "False", reason: "RequestedAddressInvalid" };
const all = ["192.0.2.10", "192.0.2.1", "2001:db8::10"];

const cases: readonly ConditionCase[] = [
  { name: "none", condition: undefined, assigned: false, names: [] },
  {
    name: "one address",
    condition: { status: "True", reason: "AddressAssigned", message: "192.0.2.10" },
    assigned: true,
    names: ["192.0.2.10"],
  },
  {
    name: "two addresses and a remark",
    condition: {
      status: "True",
      reason: "AddressAssigned",
      message: "192.0.2.10, 2001:db8::10. 192.0.2.1 is no range.",
    },
    assigned: true,
    names: ["192.0.2.10", "2001:db8::10"],
  },
  {
    name: "a refusal with the address that stays",
    condition: { ...refused, message: `${describeKept("192.0.2.10")} Service default/web requests 192.0.2.1.` },
    assigned: true,
    names: ["192.0.2.10"],
  },
  {
    name: "a refusal without an address",
    condition: { ...refused, message: "Service default/web requests 192.0.2.10." },
    assigned: false,
    names: [],
  },
  {
    name: "a refusal in which the user has written what ours would say",
    condition: { ...refused, message: `Service default/web requests "${describeKept("192.0.2.10")}".` },
    assigned: false,
    names: [],
  },
  {
    name: "no node announces it: every address may be ours",
    condition: { status: "False", reason: "NoAnnouncer", message: "No node may announce 192.0.2.10." },
    assigned: true,
    names: all,
  },
];

describe("what our condition says of the addresses that we assigned", () => {
  for (const { name, condition, assigned, names } of cases) {
    test(name, () => {
      const service = { ...serviceOf(), addressReady: condition };
      assert.deepEqual(
        all.filter((text) => namesAssigned(service, address(text))),
        names,
      );
      assert.equal(
        isAssignedByBellhop(service),
        false,
        "another controller's finalizer alone says nothing, nor does the condition",
      );
      assert.equal(isAssignedByBellhop({ ...service, finalizers: [loadBalancerFinalizer] }), assigned);
    });
  }
});
