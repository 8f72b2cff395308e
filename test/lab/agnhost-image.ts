import { createHash, type Hash } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runChecked } from "./command.ts";
import { writeImageArchive } from "./oci-archive.ts";

/** The name under which upstream's tests of this Kubernetes version request the image. */
export const AGNHOST_IMAGE = "registry.k8s.io/e2e-test-images/agnhost:2.63.0";

const BUSYBOX = "/bin/busybox";
const WGET = join(import.meta.dirname, "agnhost/wget");

/**
 * Programs of this machine, and where they are in the image. Bash is the shell: busybox's runs its own wget and nc whatever PATH
 * says, and upstream's tests use options that only OpenBSD's nc has.
 */
const PROGRAMS: readonly { readonly from: string; readonly to: readonly string[] }[] = [
  { from: "/usr/bin/curl", to: ["usr/bin/curl"] },
  { from: "/bin/nc.openbsd", to: ["usr/bin/nc"] },
  { from: "/bin/bash", to: ["bin/bash", "bin/sh"] },
];

/** The C library of the copied programs has the look-ups in files and by DNS built in (glibc 2.34). */
const FILES: Readonly<Record<string, string>> = {
  "etc/nsswitch.conf": "hosts: files dns\n",
  "etc/passwd": "root:x:0:0:root:/:/bin/sh\nuser-defined-in-image:x:1000:1000::/:/bin/sh\n",
  "etc/group": "root:x:0:\nuser-defined-in-image:x:1000:\ngroup-defined-in-image:x:50000:user-defined-in-image\n",
};

/** The shared libraries of a program of this machine, the dynamic loader among them. */
async function librariesOf(program: string): Promise<readonly string[]> {
  const listed = await runChecked(["ldd", program]);
  return listed.split("\n").flatMap((line) => /(?:=>\s+|^\s+)(\/\S+)\s+\(0x/.exec(line)?.[1] ?? []);
}

function copyInto(root: string, file: string, to = file): void {
  mkdirSync(dirname(join(root, to)), { recursive: true });
  copyFileSync(file, join(root, to));
}

/** The certificate that the image's `porter` serves; its clients do not verify it. */
async function writeCertificate(root: string): Promise<void> {
  await runChecked([
    ...["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "36500", "-subj", "/CN=localhost"],
    ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"],
    ...["-keyout", join(root, "localhost.key"), "-out", join(root, "localhost.crt")],
  ]);
  // As upstream's image has it: containers may run as another user.
  chmodSync(join(root, "localhost.key"), 0o644);
}

/** Adds to a key of the cache what the image is made from besides agnhost itself. */
export function hashAgnhostParts(hash: Hash): void {
  for (const file of [import.meta.filename, WGET, BUSYBOX, ...PROGRAMS.map(({ from }) => from)]) {
    hash.update(createHash("sha256").update(readFileSync(file)).digest());
  }
}

/**
 * Writes agnhost as an image archive. Upstream's tests run sh, wget, nc and curl in its container, so a bare agnhost is not
 * enough. `folder` is where it works and may leave nothing but the archive.
 */
export async function writeAgnhost(agnhost: string, folder: string, archive: string): Promise<void> {
  const root = join(folder, "agnhost-root");
  for (const part of ["bin", "usr/bin", "tmp", "uploads", "etc"]) mkdirSync(join(root, part), { recursive: true });
  copyFileSync(agnhost, join(root, "agnhost"));
  copyFileSync(BUSYBOX, join(root, "bin/busybox"));
  const applets = (await runChecked([BUSYBOX, "--list"])).trim().split("\n");
  const others = new Set(["busybox", "sh", "bash", "nc", "wget"]);
  for (const applet of applets) if (!others.has(applet)) symlinkSync("busybox", join(root, "bin", applet));
  for (const { from, to } of PROGRAMS) {
    for (const path of to) copyInto(root, from, path);
    for (const library of await librariesOf(from)) copyInto(root, library);
  }
  copyInto(root, WGET, "usr/bin/wget");
  chmodSync(join(root, "usr/bin/wget"), 0o755);
  for (const [path, text] of Object.entries(FILES)) writeFileSync(join(root, path), text);
  await writeCertificate(root);
  const environment = ["PATH=/usr/bin:/bin"];
  const image = { name: AGNHOST_IMAGE, root, entrypoint: ["/agnhost"], command: ["pause"], environment };
  await writeImageArchive(image, archive, join(folder, "scratch"));
  rmSync(root, { recursive: true });
}
