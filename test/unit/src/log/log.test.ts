import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { BellhopError } from "../../../../src/error/error.ts";
import { createKubeMetrics } from "../../../../src/kube/metrics.ts";
import { InvalidObject, ViewStore } from "../../../../src/kube/view-store.ts";
import { createLogger, type Logger, redactedFields } from "../../../../src/log/log.ts";
import { createRegistry } from "../../../../src/metrics/registry.ts";

const root = join(import.meta.dirname, "../../../..");

interface Capture {
  readonly log: Logger;
  /** What was logged, each line parsed. */
  lines(): readonly Readonly<Record<string, unknown>>[];
  text(): string;
}

function captureLog(): Capture {
  const written: string[] = [];
  const log = createLogger("debug", "bellhop-test", { write: (line) => void written.push(line) });
  return {
    log,
    lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
    text: () => written.join(""),
  };
}

describe("the program's log", () => {
  test("says program, component, level and time", () => {
    const { log, lines } = captureLog();
    log.child({ component: "watch" }).warn({ resource: "services" }, "a list or watch failed");
    const [line] = lines();
    assert.match(String(line?.time), /^\d{4}-\d{2}-\d{2}T/);
    assert.equal(`${line?.level} ${line?.program} ${line?.component}`, "warn bellhop-test watch");
  });

  for (const field of redactedFields) {
    test(`a ${field} is cut out, also one level down`, () => {
      const { log, text } = captureLog();
      log.warn({ [field]: "s3cret" }, "slipped");
      log.warn({ tls: { [field]: "s3cret" } }, "slipped");
      assert.doesNotMatch(text(), /s3cret/);
      assert.equal(text().match(/\(cut out\)/g)?.length, 2);
    });
  }

  test("an error keeps its code and its cause", () => {
    const { log, text } = captureLog();
    const cause = new Error("connection refused");
    log.warn({ err: new BellhopError("ApiUnreachable", "GET /api", { cause }) }, "failed");
    assert.match(text(), /ApiUnreachable/);
    assert.match(text(), /connection refused/);
  });

  test("an object that does not follow its schema is named", () => {
    const { log, lines } = captureLog();
    const store = new ViewStore({
      resource: "ipaddresspools",
      project: () => new InvalidObject("spec.addresses is missing"),
      onChange: () => {},
      log,
      metrics: createKubeMetrics(createRegistry()),
    });
    store.put({ metadata: { name: "lan", resourceVersion: "7" } });
    assert.equal(lines()[0]?.object, "lan");
  });
});

describe("log calls of the product", () => {
  const calls = globSync("{src,controller,speaker}/**/*.ts", { cwd: root }).flatMap((file) => {
    const text = readFileSync(join(root, file), "utf8");
    const found = text.matchAll(/\blog\.(?:trace|debug|info|warn|error|fatal|child)\(\s*\{([^}]*)\}/g);
    return [...found].map(([, fields = ""]) => ({ file, fields }));
  });

  test("there are calls to look at", () => assert.ok(calls.length > 20, String(calls.length)));

  test("none names what it is about in a field that is cut out", () => {
    const names = ({ fields }: { readonly fields: string }): readonly string[] =>
      fields.split(",").map((field) => field.split(":")[0]?.trim() ?? "");
    const wrong = calls.filter((call) =>
      names(call).some((name) => (redactedFields as readonly string[]).includes(name)),
    );
    assert.deepEqual(wrong, []);
  });
});
