import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, test } from "node:test";
import { findCircles } from "./find-circles.ts";

const root = join(import.meta.dirname, "../..");

/** Rooms that decide and do nothing else: no input or output, no clock, no randomness of their own. */
const pureRooms = [
  "src/model",
  "src/ip",
  "src/api",
  "src/settings",
  "src/placement",
  "src/packet",
  "src/netlink",
  "src/nft",
  "src/error",
  "src/heartbeat",
  "src/index",
  "controller/allocate",
  "controller/explain",
  "controller/owners",
  "speaker/membership",
];

/** What a pure room may take from outside the repository: parsing, hashes and types. */
const purePackages = ["zod", "ip-address", "yaml", "node:crypto"];

/** The only exception: names of log levels are part of the settings' schema. */
const allowed = new Set(["src/settings -> src/log"]);

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(root, file), "utf8");
  const found = text.matchAll(
    /^(?:import|export) (type )?(?:[^"';]* from )?"([^"]+)"(?: with \{[^}]*\})?;|import\("([^"]+)"\)/gm,
  );
  return [...found].map(([, type, fixed, late]) => {
    const to = fixed ?? late ?? "";
    const typeOnly = type !== undefined;
    return { from: file, to: to.startsWith(".") ? normalize(join(dirname(file), to)) : to, typeOnly };
  });
}

function roomOf(file: string, rooms: readonly string[]): string | undefined {
  return rooms.find((room) => file.startsWith(`${room}/`));
}

const files = globSync("{src,controller,speaker}/**/*.ts", { cwd: root });
const imports = files.flatMap(importsOf);

describe("which room may import which", () => {
  test("there are files to look at", () => assert.ok(files.length > 50));

  test("pure rooms import only pure rooms; types may come from anywhere", () => {
    const wrong = imports.filter(({ from, to, typeOnly }) => {
      const room = roomOf(from, pureRooms);
      if (room === undefined || typeOnly || roomOf(to, pureRooms) !== undefined) return false;
      return !purePackages.includes(to) && !allowed.has(`${room} -> ${dirname(to)}`);
    });
    assert.deepEqual(wrong, []);
  });

  test("pure rooms read no clock and no randomness; take the time or the number as an argument instead", () => {
    const wrong = files
      .filter((file) => roomOf(file, pureRooms) !== undefined)
      .filter((file) =>
        /\b(Date\.now|new Date\(\)|performance\.now|Math\.random|randomUUID|randomBytes)\b/.test(
          readFileSync(join(root, file), "utf8"),
        ),
      );
    assert.deepEqual(wrong, []);
  });

  test("controller and speaker never import each other, and src neither, but for the command line", () => {
    const wrong = imports.filter(({ from, to }) => {
      const [own = ""] = from.split("/");
      const [other = ""] = to.split("/");
      if (from.startsWith("src/cli/")) return false;
      return ["controller", "speaker"].includes(other) && own !== other;
    });
    assert.deepEqual(wrong, []);
  });

  test("what is observed knows nothing of what is done about it, and explanations know nothing of how they are shown", () => {
    const forbidden: readonly (readonly [string, string])[] = [
      ["controller/observe/", "controller/services/"],
      ["controller/observe/", "controller/virtual-ips/"],
      ["controller/observe/", "controller/pools/"],
      ["controller/observe/", "controller/explain/"],
      ["controller/observe/", "controller/collect/"],
      ["controller/virtual-ips/", "controller/services/"],
      ["controller/pools/", "controller/services/"],
      ["controller/pools/", "controller/virtual-ips/"],
      ["controller/explain/", "src/cli/"],
    ];
    const wrong = imports.filter(({ from, to }) =>
      forbidden.some(([importer, imported]) => from.startsWith(importer) && to.startsWith(imported)),
    );
    assert.deepEqual(wrong, []);
  });

  test("in the speaker, what reads the node knows nothing of what is done, and the data plane nothing of announcing", () => {
    const outputs = ["announce", "dataplane", "report", "responder"].map((room) => `speaker/${room}/`);
    const forbidden: readonly (readonly [string, readonly string[]])[] = [
      ["speaker/host.ts", outputs],
      ["speaker/links/", outputs],
      ["speaker/dataplane/", ["speaker/announce/", "speaker/report/", "speaker/responder/"]],
      ["speaker/responder/", ["speaker/announce/", "speaker/dataplane/", "speaker/kernel/", "speaker/report/"]],
      ["speaker/kernel/", ["speaker/announce/", "speaker/report/", "speaker/responder/"]],
      ["speaker/announce/", ["speaker/dataplane/", "speaker/report/"]],
    ];
    const wrong = imports.filter(({ from, to }) =>
      forbidden.some(
        ([importer, imported]) => from.startsWith(importer) && imported.some((room) => to.startsWith(room)),
      ),
    );
    assert.deepEqual(wrong, []);
  });

  test("each library that reaches outside, and each program, is driven by one file", () => {
    const loaders = (name: string): readonly string[] => [
      ...new Set(imports.filter(({ to, typeOnly }) => to === name && !typeOnly).map(({ from }) => from)),
    ];
    assert.deepEqual(loaders("@kubernetes/client-node"), ["src/kube/kubeconfig-files.ts"]);
    assert.deepEqual(loaders("node-arp"), ["src/neighbour/lookup.ts"]);
    assert.deepEqual(loaders("node:child_process"), []);
    assert.deepEqual(loaders("koffi"), ["src/libc/libc.ts"]);
  });
});

test("the speaker runs no program: its image has none but Node", () => {
  const entries = ["speaker/main.ts", "speaker/kernel/worker.ts", "speaker/responder/worker.ts"];
  const reached = new Set(entries);
  // A Set grows while it is iterated: everything that is reached is followed.
  for (const file of reached)
    for (const { from, to, typeOnly } of imports) if (from === file && !typeOnly) reached.add(to);
  assert.ok(reached.size > 100, "the imports are not followed");
  const runners = ["node:child_process", "child_process", "node:cluster", "node-arp"];
  assert.deepEqual(
    [...reached].filter((one) => runners.includes(one)),
    [],
  );
  const texts = [...reached].filter((one) => files.includes(one)).map((file) => readFileSync(join(root, file), "utf8"));
  assert.ok(!texts.some((text) => /child_process|process\.binding|dlopen/.test(text)));
});

/** What imports what, by name; a type counts as much as a value. Names that are given the same name are one. */
function graphOf(nameOf: (file: string) => string): ReadonlyMap<string, ReadonlySet<string>> {
  const graph = new Map(files.map((file) => [nameOf(file), new Set<string>()]));
  for (const { from, to } of imports) if (files.includes(to)) graph.get(nameOf(from))?.add(nameOf(to));
  return graph;
}

/** The room of a file, such as controller/allocate with all that is below it. */
function roomFolderOf(file: string): string {
  return dirname(file).split("/").slice(0, 2).join("/");
}

describe("imports go one way", () => {
  const cure = "move what both need into a file below them, or pass it as an argument";

  test("no files import each other in a circle", () =>
    assert.deepEqual(findCircles(graphOf((file) => file)), [], cure));

  test("no folders import each other in a circle, however deep they are", () =>
    assert.deepEqual(findCircles(graphOf(dirname)), [], cure));

  test("no rooms import each other in a circle, through whichever of their folders", () =>
    assert.deepEqual(findCircles(graphOf(roomFolderOf)), [], cure));

  test("a circle would be found", () => {
    const graph = new Map(
      Object.entries({ a: ["b"], b: ["c", "d"], c: ["a"], d: ["e", "d"], e: ["f"], f: ["e"] }).map(
        ([from, to]) => [from, new Set(to)] as const,
      ),
    );
    assert.deepEqual(findCircles(graph), [
      ["a", "b", "c"],
      ["e", "f"],
    ]);
  });
});

describe("nothing is left over", () => {
  const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")] as const));
  const isNamedIn = (name: string, text: string): boolean => new RegExp(`\\b${name}\\b`).test(text);

  test("each export is used, be it by its own file or by tests alone", () => {
    const tests = globSync("{test,docs,deploy}/**/*.ts", { cwd: root }).map((file) =>
      readFileSync(join(root, file), "utf8"),
    );
    const unused = [...texts].flatMap(([file, text]) => {
      const names = [...text.matchAll(/^export (?:async )?(?:const|function|class|interface|type) (\w+)/gm)];
      return names.flatMap(([, name = ""]) => {
        const usedHere = [...text.matchAll(new RegExp(`\\b${name}\\b`, "g"))].length > 1;
        const others = [...texts].filter(([other]) => other !== file).map(([, other]) => other);
        return usedHere || [...others, ...tests].some((other) => isNamedIn(name, other)) ? [] : [`${file}: ${name}`];
      });
    });
    assert.deepEqual(unused, []);
  });

  test("each error code is thrown somewhere", () => {
    const [, union = ""] = /type ErrorCode =([^;]*);/.exec(texts.get("src/error/error.ts") ?? "") ?? [];
    const codes = [...union.matchAll(/"(\w+)"/g)].map(([, code = ""]) => code);
    assert.ok(codes.length > 5, String(codes));
    const throwers = [...texts].filter(([file]) => file !== "src/error/error.ts").map(([, text]) => text);
    assert.deepEqual(
      codes.filter((code) => !throwers.some((text) => text.includes(`"${code}"`))),
      [],
    );
  });
});
