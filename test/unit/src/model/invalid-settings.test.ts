import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { serviceAnnotations } from "../../../../src/api/labels.ts";
import { invalidSettings } from "../../../../src/model/invalid-settings.ts";
import { reasonTable } from "../../../../src/model/reason-table.ts";
import { projectService } from "../../../../src/model/service.ts";

const rangesAnnotation = "service.beta.kubernetes.io/load-balancer-source-ranges";
const forwarding = "bellhop.dev/forwarding";

const cases: readonly {
  readonly name: string;
  readonly ranges?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** `CODE field value`. */
  readonly reasons: readonly string[];
}[] = [
  { name: "nothing is set", reasons: [] },
  {
    name: "all is right",
    ranges: ["192.0.2.0/24", " 2001:db8::/32 "],
    annotations: { [forwarding]: "pods" },
    reasons: [],
  },
  { name: "host bits are allowed", ranges: ["192.0.2.1/24"], reasons: [] },
  {
    name: "all source ranges that cannot be read are one reason",
    ranges: ["192.0.2.0/33", "192.0.2.0/24", "everyone"],
    reasons: ["SourceRangeInvalid spec.loadBalancerSourceRanges 192.0.2.0/33, everyone"],
  },
  {
    name: "an address without a prefix length",
    ranges: ["192.0.2.7"],
    reasons: ["SourceRangeInvalid spec.loadBalancerSourceRanges 192.0.2.7"],
  },
  {
    name: "source ranges in the annotation",
    annotations: { [rangesAnnotation]: "10.0.0.0/8, 10.0.0/8" },
    reasons: [`SourceRangeInvalid metadata.annotations[${rangesAnnotation}] 10.0.0/8`],
  },
  {
    name: "the annotation does not count beside the field",
    ranges: ["10.0.0.0/8"],
    annotations: { [rangesAnnotation]: "everyone" },
    reasons: [],
  },
  {
    name: "an unknown word for forwarding",
    annotations: { [forwarding]: "Pods" },
    reasons: [`ForwardingInvalid metadata.annotations[${forwarding}] Pods`],
  },
  {
    name: "forwarding without a word requests nothing",
    annotations: { [forwarding]: " " },
    reasons: [],
  },
  {
    name: "mistyped names of annotations are one reason, in the order of the alphabet",
    annotations: { "bellhop.dev/pools": "lan", "bellhop.dev/ip": "192.0.2.7", "bellhop.dev/pool": "lan" },
    reasons: ["AnnotationUnknown metadata.annotations bellhop.dev/ip, bellhop.dev/pools"],
  },
  {
    name: "many of them",
    annotations: Object.fromEntries(["f", "e", "d", "c", "b", "a"].map((name) => [`bellhop.dev/${name}`, ""])),
    reasons: ["AnnotationUnknown metadata.annotations bellhop.dev/a, bellhop.dev/b, bellhop.dev/c, bellhop.dev/d"],
  },
  {
    name: "annotations of others do not count",
    annotations: {
      "example.com/ip": "192.0.2.7",
      "bellhop.developers.example/ip": "x",
      "metallb.io/address-pool": "lan",
    },
    reasons: [],
  },
  {
    name: "both",
    ranges: ["everyone"],
    annotations: { [forwarding]: "magic" },
    reasons: [
      "SourceRangeInvalid spec.loadBalancerSourceRanges everyone",
      `ForwardingInvalid metadata.annotations[${forwarding}] magic`,
    ],
  },
];

describe("settings of a Service that cannot be read", () => {
  for (const { name, ranges = [], annotations = {}, reasons } of cases) {
    test(name, () => {
      const service = projectService({
        metadata: { namespace: "default", name: "web", annotations: { ...annotations } },
        spec: { type: "LoadBalancer", loadBalancerSourceRanges: [...ranges] },
      });
      const found = invalidSettings(service);
      assert.deepEqual(
        found.map(({ code, field, value }) => `${code} ${field} ${value}`),
        reasons,
      );
      for (const { object } of found) assert.equal(object, "Service default/web");
    });
  }
});

test("the cure of an unknown annotation names every annotation that Bellhop reads", () => {
  const [, list = ""] = /Bellhop reads bellhop\.dev\/(.*)\.$/.exec(reasonTable.AnnotationUnknown.cure) ?? [];
  const names = list.split(/, | and /).map((name) => `bellhop.dev/${name}`);
  assert.deepEqual(names, [...serviceAnnotations].sort());
});
