import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Claim } from "../../../../controller/allocate/claim/claim.ts";
import { releasePatch, releaseService } from "../../../../controller/uninstall/service-release.ts";
import { addressReadyCondition } from "../../../../src/api/labels.ts";
import { parseAddress, virtualIpName } from "../../../../src/ip/address.ts";
import { loadBalancerFinalizer, projectService, type ServiceView } from "../../../../src/model/service.ts";
import { addedFinalizer } from "../allocate/cases/allocation-case.ts";
import { type ReleaseCase, releaseCases } from "./service-release-cases.ts";

function serviceOf({
  shows = [],
  condition,
  finalizer,
  added,
  loadBalancerClass,
  type = "LoadBalancer",
}: ReleaseCase): ServiceView {
  const [status = "", reason = "", message = ""] = condition ?? [];
  const conditions =
    condition === undefined
      ? []
      : [{ type: addressReadyCondition, status, reason, message, lastTransitionTime: new Date(0) }];
  return projectService({
    metadata: {
      namespace: "default",
      name: "web",
      uid: "uid of web",
      resourceVersion: "7",
      finalizers: finalizer === true ? [loadBalancerFinalizer] : [],
      ...(added ? { managedFields: [addedFinalizer] } : {}),
    },
    spec: { type, ...(loadBalancerClass === undefined ? {} : { loadBalancerClass }) },
    status: {
      loadBalancer: { ingress: shows.map((ip) => (ip === "" ? { hostname: "lb.example.com" } : { ip })) },
      conditions,
    },
  });
}

function claimOf([text, by, uid = "uid of web"]: NonNullable<ReleaseCase["claims"]>[number]): Claim {
  const address = parseAddress(text) ?? assert.fail(text);
  return {
    name: virtualIpName(address),
    address,
    pool: "lan",
    services: [{ namespace: "default", name: "web", uid }],
    managed: by === "controller",
    uid: `uid of ${text}`,
    resourceVersion: "1",
  };
}

describe("what is released of a Service", () => {
  for (const example of releaseCases) {
    test(example.name, () => {
      const found = releaseService(serviceOf(example), (example.claims ?? []).map(claimOf));
      const { addresses = [], finalizer = false, condition = false, stays } = example.released ?? {};
      if (example.released === undefined) return assert.equal(found, undefined);
      assert.deepEqual(found?.addresses, addresses);
      assert.deepEqual([found?.removeFinalizer, found?.removeCondition], [finalizer, condition]);
      const after = found?.ingress ?? found?.service.ingress ?? [];
      assert.deepEqual(
        after.map(({ ip }) => ip),
        stays ?? [],
      );
      return undefined;
    });
  }
});

test("the patch names the Service that was seen, and leaves out what stays", () => {
  const [served] = releaseCases.filter(({ name }) => name.startsWith("a served"));
  const release = releaseService(serviceOf(served ?? assert.fail()), (served?.claims ?? []).map(claimOf));
  assert.deepEqual(releasePatch(release ?? assert.fail()), {
    metadata: {
      uid: "uid of web",
      resourceVersion: "7",
      "$deleteFromPrimitiveList/finalizers": [loadBalancerFinalizer],
    },
    status: {
      conditions: [{ $patch: "delete", type: addressReadyCondition }],
      loadBalancer: { ingress: null },
    },
  });
});
