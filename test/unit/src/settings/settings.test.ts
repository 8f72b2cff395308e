import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSettings } from "../../../../src/cli/options.ts";
import { controllerSettingsSchema } from "../../../../src/settings/controller-settings.ts";

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
