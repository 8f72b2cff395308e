import { createHash } from "node:crypto";
import { join } from "node:path";
import { cached, kubernetesStamps } from "../lab/build-cache.ts";
import { goBuild, goCompiler, hashModule } from "../lab/go-build.ts";
import type { Progress } from "../lab/progress.ts";

const MODULE = join(import.meta.dirname, "e2e");
const PACKAGE = "k8s.io/kubernetes/test/e2e";

/**
 * The path of upstream's e2e.test, compiled as upstream compiles it when the cache does not hold it yet: about three minutes on two
 * processors once the lab's programs are compiled.
 */
export async function buildE2eProgram(progress: Progress): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([await goCompiler(MODULE), PACKAGE, kubernetesStamps]));
  hashModule(hash, "e2e", MODULE);
  const folder = await cached("conformance", hash.digest("hex").slice(0, 16), progress, (unfinished) =>
    progress.step("Compile Kubernetes' e2e.test", (note) => {
      const output = join(unfinished, "e2e.test");
      return goBuild({ module: MODULE, package: PACKAGE, output, stamps: kubernetesStamps, verb: "test" }, note);
    }),
  );
  return join(folder, "e2e.test");
}
