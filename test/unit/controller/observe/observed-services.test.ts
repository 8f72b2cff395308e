import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AddressAllocations } from "../../../../controller/allocate/allocations/address-allocations.ts";
import { choosePools } from "../../../../controller/allocate/pool/pool-set.ts";
import { ObservedServices } from "../../../../controller/observe/observed-services.ts";
import { ReadyNodes } from "../../../../controller/observe/ready-nodes.ts";
import { projectService, type ServiceView } from "../../../../src/model/service.ts";
import { poolOf } from "../allocate/cases/allocation-case.ts";
import { externalIpCases } from "./external-ip-cases.ts";

function service(key: string, externalIPs: readonly string[]): ServiceView {
  const [namespace = "", name = ""] = key.split("/");
  return projectService({ metadata: { namespace, name, uid: key }, spec: { externalIPs: [...externalIPs] } });
}

describe("addresses in spec.externalIPs over the limit of their namespace", () => {
  for (const { name, services, over, code } of externalIpCases) {
    test(name, () => {
      const views = new Map(Object.entries(services).map(([key, externalIPs]) => [key, service(key, externalIPs)]));
      const allocations = new AddressAllocations();
      allocations.setPools(choosePools([poolOf({ name: "lan", addresses: ["192.0.2.10-192.0.2.19"] })]));
      const observed = new ObservedServices(
        { services: { views }, slices: { views: new Map() } },
        allocations,
        new ReadyNodes(),
        2,
      );
      for (const key of views.keys()) observed.observeService(key);
      const found = [...views.keys()].flatMap((key) => observed.externalIpReason(key) ?? []);
      assert.deepEqual(
        found.map((reason) => [reason.code, reason.object, reason.value]),
        Object.entries(over).map(([key, value]) => [code, `Service ${key}`, value]),
      );
      views.clear();
      for (const key of Object.keys(services)) observed.observeService(key);
      assert.deepEqual([...observed.overExternalIpLimit], [], "nothing is kept of Services that are gone");
    });
  }
});
