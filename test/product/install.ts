import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Lab } from "../lab/lab.ts";
import type { Progress } from "../lab/progress.ts";
import { cacheFolder } from "../lab/state.ts";
import { ensureProductImage } from "./image.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The namespace that the manifests install into. */
export const productNamespace = "bellhop-system";

/**
 * Installs Bellhop into a lab just as it is shipped: the image of deploy/Dockerfile, `kubectl apply -k deploy/base`, and a wait
 * until controller and speakers are ready. A lab that runs another build of the image is moved to this one. `checkout` is where the sources and
 * manifests are; the default is this repository.
 */
export async function installProduct(lab: Lab, progress: Progress, checkout = root): Promise<void> {
  const archive = await ensureProductImage(cacheFolder(), progress, checkout);
  const note = join(lab.folder, "product-image");
  const before = existsSync(note) ? readFileSync(note, "utf8") : undefined;
  if (before !== basename(archive)) {
    await progress.step("Bellhop's image into every node", () => lab.loadImage(archive));
  }
  await progress.step("kubectl apply -k deploy/base", async () => {
    await lab.kubectl(["apply", "-k", join(checkout, "deploy/base")]);
    if (before !== undefined && before !== basename(archive)) {
      // The image has the same name as before; only new pods run the new one.
      await lab.kubectl([
        "-n",
        productNamespace,
        "rollout",
        "restart",
        "deployment/bellhop-controller",
        "daemonset/bellhop-speaker",
      ]);
    }
  });
  writeFileSync(note, basename(archive));
  await progress.step("controller and speakers ready", async () => {
    for (const workload of ["deployment/bellhop-controller", "daemonset/bellhop-speaker"]) {
      await lab.kubectl(["-n", productNamespace, "rollout", "status", workload, "--timeout=90s"], undefined, 100_000);
    }
  });
}
