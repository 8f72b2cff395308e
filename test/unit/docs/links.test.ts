import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { anchorOf } from "../../../docs/generate/markdown.ts";

const root = join(import.meta.dirname, "../../..");
const documents = globSync(["*.md", "{.github,controller,deploy,docs,speaker,src,test}/**/*.md"], { cwd: root });

/** The Markdown without its blocks of code, in which nothing is a link or a heading. */
function read(file: string): string {
  return readFileSync(file, "utf8")
    .replaceAll(/^```[\s\S]*?^```/gm, "")
    .replaceAll(/^ {4}.*$/gm, "");
}

function anchorsOf(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading)));
}

describe("links between documents", () => {
  test("there are documents to look at", () => assert.ok(documents.length > 10));

  for (const document of documents) {
    test(`${document} links to files and headings that exist`, () => {
      const file = join(root, document);
      for (const [, target = ""] of read(file).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [path = "", anchor] = target.split("#");
        const there = path === "" ? file : join(dirname(file), path);
        assert.ok(existsSync(there), `there is no ${target}`);
        if (anchor !== undefined && there.endsWith(".md")) assert.ok(anchorsOf(read(there)).has(anchor), target);
      }
    });

    test(`${document} names files and folders that exist`, () => {
      for (const [, path = ""] of read(join(root, document)).matchAll(
        /`((?:controller|deploy|docs|speaker|src|test)\/[\w./-]+)`/g,
      )) {
        const places = [root, dirname(join(root, document))].map((folder) => join(folder, path));
        assert.ok(places.some(existsSync), `there is no ${path}`);
      }
    });
  }
});

describe("READMEs of rooms", () => {
  const rooms = globSync("src/*/", { cwd: root }).map((room) => room.replace(/\/$/, ""));

  test("src/README.md lists each room", () => {
    const text = readFileSync(join(root, "src/README.md"), "utf8");
    for (const room of rooms) assert.ok(text.includes(`](${room.slice("src/".length)}/README.md)`), room);
  });
});
