import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runChecked } from "../lab/command.ts";
import { withLock } from "../lab/lock.ts";
import type { Progress } from "../lab/progress.ts";
import { ensureBaseImage } from "./base-image.ts";
import { buildah } from "./buildah.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The name under which the manifests in deploy/base ask for the image, as containerd completes it. */
export const productImage = "docker.io/library/bellhop:0.1.0";

/** All that the Dockerfile copies, and itself. */
const context = [
  ".dockerignore",
  ".npmrc",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "deploy/Dockerfile",
  "deploy/build.ts",
  "{src,controller,speaker}/**/*",
];

/**
 * Builds deploy/Dockerfile as a user would, with only its base image replaced, and gives the path of an OCI archive of it.
 * Keyed by the content of the build context: the same sources are built once. `checkout` is where they are; the default is
 * this repository.
 */
export async function ensureProductImage(cache: string, progress: Progress, checkout = root): Promise<string> {
  const store = join(cache, "product");
  mkdirSync(store, { recursive: true });
  const archive = join(store, `bellhop-${contextKey(checkout)}.tar`);
  if (existsSync(archive)) return archive;
  return progress.step("Bellhop's image", (note) =>
    withLock(
      join(store, "lock"),
      () => note("another build is running"),
      async () => {
        if (existsSync(archive)) return archive;
        const base = await ensureBaseImage(store, note);
        note("deploy/Dockerfile");
        await runChecked(
          buildah(
            store,
            "bud",
            "--isolation=chroot",
            "--layers",
            "--quiet",
            `--build-arg=NODE_IMAGE=${base}`,
            "--file=deploy/Dockerfile",
            `--tag=${productImage}`,
            ".",
          ),
          { cwd: checkout, timeoutMs: 900_000 },
        );
        note("archive");
        removeOldArchives(store);
        await runChecked(
          buildah(store, "push", "--quiet", productImage, `oci-archive:${archive}.part:${productImage}`),
          {
            timeoutMs: 300_000,
          },
        );
        renameSync(`${archive}.part`, archive);
        return archive;
      },
    ),
  );
}

/** How many builds stay: those of several checkouts of the project, side by side on one machine. */
const keptArchives = 6;

function removeOldArchives(store: string): void {
  const newestFirst = globSync(join(store, "bellhop-*.tar"))
    .map((path) => ({ path, writtenMs: statSync(path).mtimeMs }))
    .sort((left, right) => right.writtenMs - left.writtenMs);
  for (const { path } of newestFirst.slice(keptArchives - 1)) rmSync(path);
}

function contextKey(checkout: string): string {
  const hash = createHash("sha256").update(process.version);
  for (const file of globSync(context, { cwd: checkout }).sort()) {
    if (!statSync(join(checkout, file)).isFile() || file.endsWith(".md")) continue;
    hash.update(`${file}\n`).update(readFileSync(join(checkout, file)));
  }
  return hash.digest("hex").slice(0, 16);
}
