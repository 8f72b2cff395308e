import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createPalette } from "../../../../../src/cli/text/palette.ts";
import { renderService } from "../../../../../src/cli/text/service.ts";
import { explainCase } from "./find-reasons-cases.ts";

const ranges = "service.beta.kubernetes.io/load-balancer-source-ranges";

const cases: readonly {
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
  readonly remarks: readonly string[];
}[] = [
  {
    name: "source ranges that can be read",
    annotations: { [ranges]: "192.0.2.0/24" },
    warnings: [],
    remarks: ["Only clients in 192.0.2.0/24 are admitted."],
  },
  {
    name: "a source range that cannot be read beside one that can",
    annotations: { [ranges]: "192.0.2.0/33,192.0.2.0/24" },
    warnings: ["SourceRangeInvalid"],
    remarks: ["Only clients in 192.0.2.0/24 are admitted."],
  },
  {
    name: "no source range that can be read",
    annotations: { [ranges]: "192.0.2.0/33" },
    warnings: ["SourceRangeInvalid"],
    remarks: ["No IPv4 client is admitted, because no source range of that family can be read."],
  },
  {
    name: "a source range that admits every client",
    annotations: { [ranges]: "0.0.0.0/0" },
    warnings: [],
    remarks: [],
  },
  {
    name: "an unknown word for forwarding",
    annotations: { "bellhop.dev/forwarding": "magic" },
    warnings: ["ForwardingInvalid"],
    remarks: [],
  },
  {
    name: "ipMode Proxy without forwarding by node port",
    annotations: { "bellhop.dev/ip-mode": "Proxy" },
    warnings: ["IpModeProxyWithoutNodePort"],
    remarks: [],
  },
];

describe("explain about settings that are invalid and prevent no address", () => {
  for (const { name, annotations, warnings, remarks } of cases) {
    test(name, () => {
      const explanation = explainCase({
        name,
        claims: [{ address: "192.0.2.10", pool: "lan", services: ["web"] }],
        service: { shows: ["192.0.2.10"], ours: true, annotations },
        announcedBy: "n1",
        endpoints: { n1: true },
        reasons: [],
      });
      assert.ok(explanation.served);
      assert.deepEqual(
        explanation.warnings.map(({ code }) => code),
        warnings,
      );
      assert.deepEqual(explanation.remarks, remarks);
      const text = renderService(explanation, createPalette(false));
      assert.match(text, /✓ Served/);
      for (const { code, cure } of explanation.warnings) {
        assert.ok(text.includes(`Warning: ${code}`) && text.includes(`Cure: ${cure}`), text);
      }
      for (const remark of remarks) assert.ok(text.includes(`Note: ${remark}`), text);
    });
  }

  test("an address that another load balancer has written is named, and the Service has none of Bellhop", () => {
    const pools = [{ name: "lan", addresses: ["192.0.2.10"], spec: { autoAssign: false } }];
    const explanation = explainCase({ name: "shown", pools, service: { shows: ["203.0.113.9"] }, reasons: [] });
    const remark =
      "The status shows 203.0.113.9, which Bellhop did not assign. Another load balancer may serve the Service.";
    assert.deepEqual(explanation.remarks, [remark]);
    const text = renderService(explanation, createPalette(false));
    assert.match(text, /✗ Not served: NoPoolForService/);
    assert.ok(text.includes(`Note: ${remark}`), text);
  });

  test("a Service that is not ours gets no such warning", () => {
    const service = { loadBalancerClass: "example.com/x", annotations: { "bellhop.dev/forwarding": "magic" } };
    assert.deepEqual(explainCase({ name: "foreign", service, reasons: [] }).warnings, []);
  });
});
