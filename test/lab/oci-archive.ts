import { createHash } from "node:crypto";
import { createReadStream, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { arch } from "node:process";
import { pipeline } from "node:stream/promises";
import { runChecked } from "./command.ts";
import { LabError } from "./error.ts";

export interface ImageContent {
  /** The full name, such as registry.k8s.io/pause:3.10.2. */
  name: string;
  /** The folder that becomes the image's root, and its only layer. */
  root: string;
  entrypoint: string[];
  command?: string[];
  environment?: string[];
}

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

const ARCHITECTURES: Partial<Record<NodeJS.Architecture, string>> = { x64: "amd64", arm64: "arm64" };

/** The name that OCI gives to this machine's kind of processor. */
export function imageArchitecture(): string {
  const name = ARCHITECTURES[arch];
  if (name === undefined) throw new LabError("bad-option", `there are no images for the architecture ${arch}`);
  return name;
}

// Nothing of this machine or this moment in a layer, so that the same content always makes the same image.
const TAR = ["tar", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "-c"];

/** Writes an image as an archive in the OCI image layout (one tar file, layers not compressed, because it is only ever
 * read on this machine), as image tools import it. `scratch` is a folder that does not exist and is gone afterwards. */
export async function writeImageArchive(image: ImageContent, archive: string, scratch: string): Promise<void> {
  const blobs = `${scratch}/blobs/sha256`;
  mkdirSync(blobs, { recursive: true });
  const layerFile = `${scratch}/layer`;
  await runChecked([...TAR, "-f", layerFile, "-C", image.root, "."], { timeoutMs: 300_000 });
  const hash = createHash("sha256");
  let size = 0;
  await pipeline(createReadStream(layerFile), async (chunks) => {
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      hash.update(chunk);
      size += chunk.length;
    }
  });
  const layerHash = hash.digest("hex");
  renameSync(layerFile, `${blobs}/${layerHash}`);

  const writeBlob = (mediaType: string, content: object): Descriptor => {
    const bytes = JSON.stringify(content);
    const digest = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(`${blobs}/${digest}`, bytes);
    return { mediaType, digest: `sha256:${digest}`, size: Buffer.byteLength(bytes) };
  };
  const layer = { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: `sha256:${layerHash}`, size };
  const config = writeBlob("application/vnd.oci.image.config.v1+json", {
    architecture: imageArchitecture(),
    os: "linux",
    config: { Entrypoint: image.entrypoint, Cmd: image.command ?? null, Env: image.environment ?? [] },
    rootfs: { type: "layers", diff_ids: [layer.digest] },
    history: [{ created_by: "test/lab/oci-archive.ts" }],
  });
  const manifestType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = writeBlob(manifestType, { schemaVersion: 2, mediaType: manifestType, config, layers: [layer] });
  const annotations = {
    "io.containerd.image.name": image.name,
    "org.opencontainers.image.ref.name": image.name,
  };
  const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations }] };
  writeFileSync(`${scratch}/index.json`, JSON.stringify(index));
  writeFileSync(`${scratch}/oci-layout`, JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  await runChecked([...TAR, "-f", archive, "-C", scratch, "oci-layout", "index.json", "blobs"], { timeoutMs: 300_000 });
  rmSync(scratch, { recursive: true });
}
