import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runChecked, runCommand } from "../lab/command.ts";
import { buildah } from "./buildah.ts";

/**
 * What the Dockerfile's own base (`node:24-bookworm-slim`) has and the product's image needs of it, made on a machine that
 * reaches no image registry: a small Debian, the Node that runs this very program, and npm.
 */
const debianSuite = "bookworm";
const debianPackages = ["ca-certificates", "libstdc++6"];
const npmVersion = "11.6.2";
const certificates = "/etc/ssl/certs/ca-certificates.crt";

/** The name of the base image in the store at `cache`, built when it is not there yet. Takes about a minute the first time. */
export async function ensureBaseImage(cache: string, note: (text: string) => void): Promise<string> {
  const hash = createHash("sha256");
  for (const part of [debianSuite, ...debianPackages, process.version, process.arch, npmVersion])
    hash.update(`${part}\n`);
  const name = `localhost/bellhop-base:${hash.digest("hex").slice(0, 12)}`;
  if ((await runCommand(buildah(cache, "inspect", "--type", "image", name))).code === 0) return name;

  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, "base-"));
  try {
    note("Debian's packages");
    const root = join(work, "root.tar");
    await runChecked(
      ["mmdebstrap", "--variant=apt", "--mode=root", `--include=${debianPackages.join(",")}`, debianSuite, root],
      { timeoutMs: 600_000 },
    );
    note("npm");
    const added = join(work, "added");
    mkdirSync(join(added, "usr/local/bin"), { recursive: true });
    await runChecked(
      [
        "npm",
        "install",
        "--global",
        "--no-fund",
        "--no-audit",
        "--prefix",
        join(added, "usr/local"),
        `npm@${npmVersion}`,
      ],
      {
        timeoutMs: 300_000,
      },
    );
    copyFileSync(process.execPath, join(added, "usr/local/bin/node"));
    addCertificates(added);
    note("the image");
    const container = (await runChecked(buildah(cache, "from", "scratch"))).trim();
    await runChecked(buildah(cache, "add", "--quiet", container, root, "/"), { timeoutMs: 300_000 });
    await runChecked(buildah(cache, "add", "--quiet", container, added, "/"), { timeoutMs: 300_000 });
    await runChecked(
      buildah(cache, "config", "--env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", container),
    );
    await runChecked(buildah(cache, "commit", "--quiet", "--rm", container, name), { timeoutMs: 300_000 });
    return name;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** A machine behind a proxy that opens TLS has that proxy's authority in its own bundle; npm in the image needs it as well. */
function addCertificates(added: string): void {
  if (!existsSync(certificates)) return;
  mkdirSync(join(added, "etc/ssl/certs"), { recursive: true });
  copyFileSync(certificates, join(added, certificates));
  mkdirSync(join(added, "usr/local/etc"), { recursive: true });
  writeFileSync(join(added, "usr/local/etc/npmrc"), `cafile=${certificates}\n`);
}
