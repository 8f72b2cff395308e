import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { build } from "esbuild";

/**
 * Makes one file of a TypeScript program and all that it imports, like the program in the image: the loader of TypeScript alone has 40 MB.
 * Relative imports are resolved in `folder`, by default the program's own.
 */
export async function bundleProgram(source: string, outfile: string, folder = dirname(source)): Promise<void> {
  await build({
    stdin: { contents: readFileSync(source, "utf8"), resolveDir: resolve(folder), loader: "ts" },
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
}
