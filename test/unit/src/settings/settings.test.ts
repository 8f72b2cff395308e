import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseSettings } from "../../../../src/cli/settings.ts";
import { controllerSettingsSchema } from "../../../../src/settings/controller-settings.ts";
import { version } from "../../../../src/settings/version.ts";

test("every wrong setting is named at once", () => {
  assert.throws(
    () =>
      parseSettings(controllerSettingsSchema, {
        namespace: "",
        instance: "a",
        workers: Number("many"),
        httpPort: 70_000,
      }),
    (error: Error) => ["namespace", "workers", "httpPort"].every((name) => error.message.includes(name)),
  );
});

test("what is not set has a default", () => {
  const settings = parseSettings(controllerSettingsSchema, { namespace: "bellhop-system", instance: "a" });
  assert.deepEqual([settings.defaultClass, settings.workers, settings.leaderElect], [true, 16, true]);
});

test("the version is that of the package", () => {
  const text = readFileSync(join(import.meta.dirname, "../../../../package.json"), "utf8");
  assert.equal(version, (JSON.parse(text) as { version: string }).version);
});
