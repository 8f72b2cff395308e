import assert from "node:assert/strict";
import { test } from "node:test";
import { maxAnnotationLength, projectService } from "../../../../src/model/service.ts";

const long = "😀".repeat(60_000);

test("of the annotations of a Service only those that Bellhop reads are kept, and no more of them than counts", () => {
  const annotations = {
    "bellhop.dev/share": long,
    "bellhop.dev/ips": long,
    "bellhop.dev/pool": "lan",
    "bellhop.dev/reassign": long,
    "bellhop.dev/other": long,
    "metallb.io/allow-shared-ip": long,
    "example.com/other": long,
  };
  const kept = projectService({ metadata: { annotations } }, {}).annotations;
  const names = ["ips", "pool", "reassign", "share"].map((name) => `bellhop.dev/${name}`);
  assert.deepEqual(Object.keys(kept).sort(), [...names, "metallb.io/allow-shared-ip"]);
  for (const text of Object.values(kept)) assert.ok(text.length <= maxAnnotationLength && text.isWellFormed(), text);
  assert.equal(kept["bellhop.dev/pool"], "lan");
});

test("a list of source ranges is kept whole: without its end it could admit more clients", () => {
  const name = "service.beta.kubernetes.io/load-balancer-source-ranges";
  const text = Array.from({ length: 500 }, (_, index) => `10.0.${index % 256}.0/24`).join(",");
  assert.equal(projectService({ metadata: { annotations: { [name]: text } } }).annotations[name], text);
});

test("the finalizer is the one that the controller added only if the API server has recorded that", () => {
  const finalizer = "service.kubernetes.io/load-balancer-cleanup";
  const entry = (manager: string, text: string) => ({
    manager,
    fieldsV1: { "f:metadata": { "f:finalizers": { ".": {}, [`v:"${text}"`]: {} } } },
  });
  const added = (...managedFields: object[]): boolean => projectService({ metadata: { managedFields } }).addedFinalizer;
  assert.equal(added(), false);
  assert.equal(added(entry("bellhop-controller", finalizer)), true);
  assert.equal(
    added(entry("cloud-controller-manager", finalizer), entry("bellhop-controller", "example.com/other")),
    false,
  );
  assert.equal(added({ manager: "bellhop-controller" }, { manager: "bellhop-controller", fieldsV1: {} }), false);
});
