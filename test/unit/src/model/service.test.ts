import assert from "node:assert/strict";
import { test } from "node:test";
import { invalidSettings } from "../../../../src/model/invalid-settings.ts";
import {
  loadBalancerFinalizer,
  maxAnnotationLength,
  maxExternalIps,
  maxLabels,
  maxSourceRanges,
  projectService,
} from "../../../../src/model/service.ts";
import { readSourceRanges } from "../../../../src/model/source-ranges.ts";

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

const many = (count: number, text: (index: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => text(i));
const range = (index: number): string => `10.${index >> 8}.${index & 255}.0/24`;

test("spec.loadBalancerIP is read as the annotation is: blank means not set, and it is no longer than counts", () => {
  const read = (loadBalancerIP: string) => projectService({ spec: { loadBalancerIP } }).loadBalancerIP;
  for (const blank of ["", " ", "\n"]) assert.equal(read(blank), undefined);
  assert.equal(read(" 192.0.2.10\n"), "192.0.2.10");
  assert.ok((read(long)?.length ?? 0) <= maxAnnotationLength);
});

test("a list of source ranges is cut at whole ranges, and what is left out admits no client and is reported", () => {
  const name = "service.beta.kubernetes.io/load-balancer-source-ranges";
  const all = many(maxSourceRanges, range);
  for (const [ranges, kept] of [
    [all, all],
    [
      [...all, "192.0.2.0/24", "2001:db8::/64"],
      [...all, "and 2 more"],
    ],
  ] as const) {
    const fromSpec = projectService({ spec: { loadBalancerSourceRanges: [...ranges] } });
    const fromAnnotation = projectService({ metadata: { annotations: { [name]: ranges.join(", ") } } });
    assert.deepEqual(fromSpec.sourceRanges, kept);
    assert.deepEqual(fromAnnotation.sourceRanges, kept);
    assert.equal(fromAnnotation.annotations[name], undefined, "not kept a second time");
    assert.deepEqual(
      invalidSettings(fromSpec).map(({ code, value }) => `${code} ${value}`),
      ranges === all ? [] : ["SourceRangeInvalid and 2 more"],
    );
  }
  const { allowed } = readSourceRanges(
    projectService({ spec: { loadBalancerSourceRanges: [...all, "::/0", "::/0"] } }).sourceRanges,
  );
  assert.deepEqual(allowed.IPv6, [], "the family whose ranges may have been cut is closed");
});

test("however many labels, external IPs, finalizers and source ranges a Service has, little of them is kept", () => {
  const labels = Object.fromEntries(many(20_000, (index) => `k${index}`).map((key) => [key, ""]));
  const spec = { externalIPs: many(20_000, (index) => `192.0.${index >> 8}.${index & 255}`), selector: labels };
  const finalizers = [...many(20_000, (index) => `example.com/${index}`), loadBalancerFinalizer];
  const view = projectService({ metadata: { labels, finalizers }, spec });
  assert.ok(JSON.stringify(view).length < 16 * 1024, String(JSON.stringify(view).length));
  assert.equal(view.externalIPs.length, maxExternalIps);
  assert.deepEqual(view.finalizers, [loadBalancerFinalizer]);
  assert.deepEqual([view.labels, view.hasTooManyLabels], [{}, true]);
  const named = projectService({
    metadata: { labels: { ...labels, "service.kubernetes.io/service-proxy-name": "x" } },
  });
  assert.deepEqual(named.labels, { "service.kubernetes.io/service-proxy-name": "x" });
});

test("a selector of too many labels stays equal to itself and differs from others", () => {
  const pairs = many(maxLabels + 1, (index) => `k${index}`).map((key): [string, string] => [key, "v"]);
  const selectorOf = (entries: [string, string][]) =>
    projectService({ spec: { selector: Object.fromEntries(entries) } }).selector;
  assert.deepEqual(selectorOf(pairs), selectorOf([...pairs].reverse()));
  assert.notDeepEqual(selectorOf(pairs), selectorOf([...pairs.slice(0, -1), ["k0", "other"], ["last", "v"]]));
  assert.deepEqual(selectorOf(pairs.slice(0, maxLabels)), Object.fromEntries(pairs.slice(0, maxLabels)));
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
