import { cpSync, mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const out = `${root}dist/`;

/**
 * Makes dist/: the program as two bundles (the command, with the worker threads of the speaker beside it) and koffi, whose native
 * part cannot be bundled. It contains only what the image needs.
 */
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
await build({
  absWorkingDir: root,
  entryPoints: {
    bellhop: "src/cli/main.ts",
    worker: "speaker/responder/worker.ts",
    "kernel-worker": "speaker/kernel/worker.ts",
  },
  outdir: out,
  bundle: true,
  splitting: true,
  chunkNames: "chunk-[hash]",
  platform: "node",
  target: "node24",
  format: "esm",
  external: ["koffi"],
  sourcemap: "linked",
  sourcesContent: false,
  legalComments: "none",
  logLevel: "warning",
  // Packages written as CommonJS call require() for Node's own modules; an ES module has none of its own.
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
});

for (const name of ["package.json", "index.js", "src/koffi/index.js", "src/koffi/src", "LICENSE.txt"]) {
  copyPackage(`koffi/${name}`);
}
// Not the library for musl beside it: the image has glibc.
for (const name of ["package.json", "index.js", `linux_${process.arch}`]) {
  copyPackage(`@koromix/koffi-linux-${process.arch}/${name}`);
}

function copyPackage(path: string): void {
  cpSync(`${root}node_modules/${path}`, `${out}node_modules/${path}`, { recursive: true });
}
