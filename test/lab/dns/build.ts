import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cached } from "../build-cache.ts";
import { goBuild, goCompiler, hashModule } from "../go-build.ts";
import { writeImageArchive } from "../oci-archive.ts";
import type { Progress } from "../progress.ts";
import { COREDNS_IMAGE } from "./manifests.ts";

const MODULE = join(import.meta.dirname, "coredns");
const COREFILE = join(import.meta.dirname, "Corefile");

/**
 * The path of the image archive of CoreDNS, compiled when the cache does not hold it yet: a minute and a half of two processors.
 * The image is the program and its configuration, nothing more.
 */
export async function buildDnsImage(progress: Progress): Promise<string> {
  const hash = createHash("sha256").update(`${COREDNS_IMAGE} ${await goCompiler(MODULE)}`);
  hashModule(hash, "coredns", MODULE);
  for (const file of [COREFILE, import.meta.filename]) hash.update(readFileSync(file));
  const folder = await cached("dns", hash.digest("hex").slice(0, 16), progress, async (unfinished) => {
    const root = join(unfinished, "root");
    mkdirSync(root);
    await progress.step("Compile CoreDNS", (note) =>
      goBuild({ module: MODULE, package: ".", output: join(root, "coredns"), stamps: {} }, note),
    );
    copyFileSync(COREFILE, join(root, "Corefile"));
    const image = { name: COREDNS_IMAGE, root, entrypoint: ["/coredns", "-conf", "/Corefile"] };
    await writeImageArchive(image, join(unfinished, "coredns.tar"), join(unfinished, "scratch"));
    rmSync(root, { recursive: true });
  });
  return join(folder, "coredns.tar");
}
