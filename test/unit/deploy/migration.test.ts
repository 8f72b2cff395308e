import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseAllDocuments } from "yaml";

const deploy = join(import.meta.dirname, "../../../deploy");
const folders = globSync("migrate-*", { cwd: deploy });

// biome-ignore lint/suspicious/noExplicitAny: manifests are read as kustomize would read them.
function read(...path: readonly string[]): readonly any[] {
  return parseAllDocuments(readFileSync(join(deploy, ...path), "utf8")).map((document) => document.toJS());
}

describe("manifests for a migration keep the image of the user, whose kustomization includes them", () => {
  test("there are some", () => assert.ok(folders.length > 0));

  for (const folder of folders) {
    const [kustomization] = read(folder, "kustomization.yaml");

    test(`${folder} is a component, which cannot be applied alone`, () => {
      assert.equal(kustomization.kind, "Component");
    });

    test(`${folder} names no image and no other kustomization`, () => {
      assert.equal(kustomization.images, undefined);
      for (const resource of kustomization.resources) assert.match(resource, /^[\w-]+\.yaml$/);
      for (const resource of kustomization.resources) {
        for (const { spec } of read(folder, resource)) assert.equal(spec?.template, undefined, resource);
      }
      for (const { patch } of kustomization.patches) assert.doesNotMatch(patch, /image/);
    });
  }
});
