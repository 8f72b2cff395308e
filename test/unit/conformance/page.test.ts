import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { knownFailure, knownFailures } from "../../conformance/known-failures.ts";
import { conformancePage } from "../../conformance/page.ts";
import {
  continueResults,
  longestSeconds,
  type Results,
  readResults,
  recordSpec,
  type Variant,
} from "../../conformance/results.ts";

const affinity = "[sig-network] LoadBalancers [Feature:LoadBalancer] should have session affinity work [Slow]";
const switching =
  "[sig-network] LoadBalancers [Feature:LoadBalancer] should be able to switch session affinity for LoadBalancer service with Local traffic policy";
const serve = "[sig-network] Services should serve a basic endpoint from pods [Conformance]";
const first: Variant = { proxy: "nftables", path: "nodeport", families: "ipv4" };
const second: Variant = { proxy: "iptables", path: "pods", families: "ipv6" };
const empty: Results = { kubernetes: "v1.36.2", bellhop: "0.1.0", specs: [affinity, switching, serve], runs: [] };

function recorded(): Results {
  let results = recordSpec(empty, second, affinity, { state: "failed", seconds: 61.5, message: "no answer" });
  results = recordSpec(results, first, switching, { state: "failed", seconds: 602.8 });
  results = recordSpec(results, first, affinity, { state: "passed", seconds: 2.4 });
  return recordSpec(results, first, serve, { state: "skipped", seconds: 0.1 });
}

describe("results", () => {
  test("a later result of a spec replaces the earlier one of the same way, and no other", () => {
    const results = recordSpec(recorded(), second, affinity, { state: "passed", seconds: 3 });
    assert.deepEqual(
      results.runs.map((run) => run.specs[affinity]),
      [
        { state: "passed", seconds: 2 },
        { state: "passed", seconds: 3 },
      ],
    );
  });

  test("a spec is as long as its longest run", () => {
    assert.equal(longestSeconds(recorded(), affinity), 62);
    assert.equal(longestSeconds(recorded(), "another"), undefined);
  });

  test("results of another version are dropped", () => {
    const { runs: _, ...versions } = empty;
    assert.equal(continueResults(recorded(), versions).runs.length, 2);
    assert.deepEqual(continueResults(recorded(), { ...versions, kubernetes: "v1.37.0" }).runs, []);
    assert.deepEqual(continueResults(recorded(), { ...versions, bellhop: "0.2.0" }).runs, []);
    assert.deepEqual(continueResults(undefined, versions).runs, []);
  });
});

describe("the page about conformance", () => {
  const page = conformancePage(recorded());

  test("has a line for each spec and a column for each way that ran one of its table", () => {
    assert.ok(page.includes("| spec | nftables, node ports, IPv4 | iptables, pods, IPv6 |\n"));
    assert.ok(page.includes("| should have session affinity work | pass 2 | **fail** 62 |\n"));
    assert.ok(page.includes("| should serve a basic endpoint from pods | skipped |\n"));
  });

  test("says what was not run", () => {
    assert.ok(page.includes("**fail** 603 (reason 1) | not run |\n"));
    assert.ok(page.includes("- nftables, node ports, IPv4: 1 of 2 passed, 1 failed\n"));
    assert.ok(page.includes("- iptables, pods, IPv6: 0 of 1 passed, 1 failed, 1 not run\n"));
  });

  test("says of specs that were run nowhere how to run them", () => {
    const other = recordSpec(empty, first, affinity, { state: "passed", seconds: 2 });
    assert.ok(conformancePage(other).endsWith("None of 1 specs was run: `npm run conformance -- --specs all`.\n"));
  });

  test("has the reasons of those failures that it shows, and of no other", () => {
    assert.match(page, /1\. The pods are on three nodes/);
    assert.doesNotMatch(page, /2\. /);
  });

  test("is, in docs, the one of what was recorded", () => {
    const results = readResults();
    assert.ok(results !== undefined, "test/conformance/results.json is missing: npm run conformance");
    const file = new URL("../../../docs/conformance.md", import.meta.url);
    assert.ok(existsSync(file));
    assert.equal(readFileSync(file, "utf8"), conformancePage(results), "run npm run docs");
  });
});

describe("known reasons", () => {
  test("each belongs to a spec of upstream's", () => {
    const { specs = [] } = readResults() ?? {};
    for (const { spec } of knownFailures) assert.equal(specs.filter((name) => spec.test(name)).length, 1, String(spec));
  });

  test("one that depends on the families counts in them only", () => {
    const spec = "[sig-network] LoadBalancers ExternalTrafficPolicy: Local [Slow] should work from pods";
    assert.equal(knownFailure(spec, first), undefined);
    assert.notEqual(knownFailure(spec, second), undefined);
    assert.equal(knownFailure(affinity, second), undefined);
  });
});
