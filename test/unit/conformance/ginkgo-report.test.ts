import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { resultOf, specNames } from "../../conformance/ginkgo-report.ts";

interface Node {
  readonly ContainerHierarchyTexts?: readonly string[] | null;
  readonly LeafNodeType: string;
  readonly LeafNodeText: string;
  readonly State: string;
  readonly RunTime: number;
  readonly Failure?: { readonly Message: string };
}

const name = "[sig-network] Services should serve";

function spec(State: string, Failure?: Node["Failure"]): Node {
  return {
    ContainerHierarchyTexts: ["[sig-network] Services"],
    LeafNodeType: "It",
    LeafNodeText: "should serve",
    State,
    RunTime: 2_400_000_000,
    ...(Failure === undefined ? {} : { Failure }),
  };
}

function setUp(State: string, Failure?: Node["Failure"]): Node {
  return {
    ...spec(State, Failure),
    ContainerHierarchyTexts: null,
    LeafNodeType: "SynchronizedBeforeSuite",
    LeafNodeText: "",
  };
}

function report(...nodes: readonly Node[]): string {
  return JSON.stringify([{ SuiteSucceeded: true, SpecReports: nodes }]);
}

describe("the report of e2e.test", () => {
  const failure = { Message: "no answer" };
  const cases = [
    ["a spec that passed", report(setUp("passed"), spec("passed")), { state: "passed", seconds: 2.4 }],
    ["a spec that failed", report(spec("failed", failure)), { state: "failed", seconds: 2.4, message: "no answer" }],
    [
      "a spec that took too long",
      report(spec("timedout", failure)),
      { state: "failed", seconds: 2.4, message: "no answer" },
    ],
    [
      "a spec that panicked",
      report(spec("panicked", failure)),
      { state: "failed", seconds: 2.4, message: "no answer" },
    ],
    [
      "a spec that skipped itself",
      report(spec("skipped", failure)),
      { state: "skipped", seconds: 2.4, message: "no answer" },
    ],
    [
      "a set-up of the suite that failed",
      report(setUp("failed", { Message: "nodes are not ready" }), spec("skipped")),
      { state: "failed", seconds: 2.4, message: "nodes are not ready" },
    ],
    [
      "a spec that passed in a suite whose end failed",
      report(spec("passed"), setUp("failed", { Message: "leak" })),
      { state: "failed", seconds: 2.4, message: "leak" },
    ],
    [
      "a spec that was filtered out",
      report(spec("skipped")),
      { state: "failed", seconds: 2.4, message: "e2e.test did not run it (skipped)" },
    ],
    [
      "a suite without the spec",
      JSON.stringify([{ SpecReports: null }]),
      { state: "failed", seconds: 0, message: "e2e.test did not run it (no such spec)" },
    ],
  ] as const;
  for (const [title, text, expected] of cases) {
    test(title, () => assert.deepEqual(resultOf(text, name), expected));
  }

  test("names of specs are those of all containers and the spec, sorted; set-ups have none", () => {
    const first = { ...spec("passed"), ContainerHierarchyTexts: ["[sig-network] LoadBalancers", "Local"] };
    assert.deepEqual(specNames(report(setUp("passed"), spec("skipped"), first)), [
      "[sig-network] LoadBalancers Local should serve",
      name,
    ]);
  });

  for (const text of ["", "{", "{}", '[{"SpecReports":[{}]}]']) {
    test(`${JSON.stringify(text)} is refused`, () => {
      assert.throws(() => resultOf(text, name), { code: "command-failed" });
    });
  }
});
