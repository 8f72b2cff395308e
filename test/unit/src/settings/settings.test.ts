import assert from "node:assert/strict";
import { test } from "node:test";
import { httpHostOption, parseSettings } from "../../../../src/cli/options.ts";
import { controllerSettingsSchema, metallbOf } from "../../../../src/settings/controller-settings.ts";
import { speakerSettingsSchema } from "../../../../src/settings/speaker-settings.ts";

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

test("controller and speaker are reached at every address of both families, so that probes find them in a cluster of IPv6 only", () => {
  const controller = parseSettings(controllerSettingsSchema, { namespace: "bellhop-system", instance: "a" });
  const speaker = parseSettings(speakerSettingsSchema, { namespace: "bellhop-system", node: "n1" });
  assert.deepEqual([controller.httpHost, speaker.httpHost, httpHostOption().defaultValue], ["::", "::", "::"]);
});

test("MetalLB's class counts only together with its objects", () => {
  const settings = { namespace: "bellhop-system", instance: "a", metallbClass: "metallb.io/metallb" };
  assert.throws(() => parseSettings(controllerSettingsSchema, settings), /--metallb=true/);
  const parsed = parseSettings(controllerSettingsSchema, { ...settings, metallb: true });
  assert.deepEqual(metallbOf(parsed), { namespace: "metallb-system", loadBalancerClass: "metallb.io/metallb" });
  assert.equal(metallbOf({ ...parsed, metallb: false }), undefined);
});
