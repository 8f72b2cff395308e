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
