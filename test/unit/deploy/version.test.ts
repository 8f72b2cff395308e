import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { productImage } from "../../product/image.ts";

const root = join(import.meta.dirname, "../../..");

function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

const { version } = JSON.parse(read("package.json")) as { readonly version: string };

describe("the version of package.json is also that of", () => {
  for (const [file, pattern] of [
    ["package-lock.json", /^ {2}"version": "(.*)"/m],
    ["deploy/base/controller.yaml", /image: bellhop:(.*)/],
    ["deploy/base/speaker.yaml", /image: bellhop:(.*)/],
    ["deploy/uninstall/release.yaml", /image: bellhop:(.*)/],
    ["deploy/uninstall/cleanup.yaml", /image: bellhop:(.*)/],
    ["CHANGELOG.md", /^## (\S+)/m],
    ["README.md", /REGISTRY\/bellhop:(\S+)/],
    ["README.md", /newTag: (\S+)/],
  ] as const) {
    test(`${file}, ${pattern.source}`, () => assert.equal(pattern.exec(read(file))?.[1], version));
  }

  test("test/product/image.ts, which the lab installs", () => assert.equal(productImage.split(":").at(-1), version));
});
