import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import type { MigrationCheck } from "../../controller/explain/migration/migration-check.ts";
import type { CommandResult } from "../lab/command.ts";
import type { Lab } from "../lab/lab.ts";
import { showProgress } from "../lab/progress.ts";
import { cacheFolder } from "../lab/state.ts";
import { ensureProductImage } from "../product/image.ts";
import type { Cluster } from "./cluster.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The name that the guides use for the image of the user, and the one that takes its place in the lab. */
const placeholder = "REGISTRY/bellhop";
const userImage = "registry.example/team/bellhop";

/** A page of docs whose shell commands are run as they are written there, in a folder that looks like the root of the repository. */
export class Guide {
  readonly #text: string;
  readonly #folder = mkdtempSync(join(tmpdir(), "guide-"));
  readonly #lab: Lab;

  constructor(page: string, lab: Lab) {
    this.#text = readFileSync(join(root, "docs", page), "utf8");
    this.#lab = lab;
    for (const name of ["deploy", "src", "node_modules"]) symlinkSync(join(root, name), join(this.#folder, name));
  }

  close(): void {
    rmSync(this.#folder, { recursive: true });
  }

  /** Bellhop's image under a name that no manifest of the repository has, so that a manifest that replaces it fails. */
  async loadUserImage(): Promise<void> {
    const archive = await ensureProductImage(cacheFolder(), showProgress(process.stderr));
    await this.#lab.loadImage(archive, { name: `${userImage}:0.1.0` });
  }

  /** The image is still that of the user. */
  async assertUserImage(): Promise<void> {
    const images = await this.#lab.kubectl([
      "-n",
      "bellhop-system",
      "get",
      "deployments,daemonsets",
      "-o",
      "jsonpath={.items[*].spec.template.spec.containers[*].image}",
    ]);
    assert.deepEqual(images.split(" "), [`${userImage}:0.1.0`, `${userImage}:0.1.0`]);
  }

  /** The blocks of shell commands under a heading, without those under headings below it. `number`: `1. ` at its beginning. */
  blocksOf(heading: string, language = "sh"): readonly string[] {
    const part = this.#text.split(/^#{2,} /m).find((text) => text.startsWith(heading)) ?? "";
    const blocks = [...part.matchAll(/^```([^\n]*)\n(.*?)^```$/gms)].filter(([, found]) => found === language);
    assert.ok(blocks.length > 0, `${heading} has ${language} commands`);
    return blocks.map(([, , commands = ""]) => commands);
  }

  /** Runs one block, after the functions that the page defines before it begins. */
  async run(block: string, host = "control"): Promise<CommandResult> {
    const functions = host === "control" ? this.blocksOf("Before you begin").join("") : "";
    const text = `${functions}${block}`.replaceAll(placeholder, userImage);
    const script = `set -euo pipefail\n${host === "control" ? `cd ${this.#folder}\n` : ""}${text}`;
    return this.#lab.exec(host, ["bash", "-c", script], { timeoutMs: 240_000 });
  }

  /** Runs every block under a heading; each must succeed. Returns what the last one wrote. */
  async follow(heading: string): Promise<string> {
    let written = "";
    for (const block of this.blocksOf(heading)) written = await this.succeed(block);
    return written;
  }

  async succeed(block: string, host = "control"): Promise<string> {
    const { code, stdout, stderr } = await this.run(block, host);
    assert.equal(code, 0, `${block}\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** What the check of a block says, which is asked for as JSON; the block itself must end with that exit code. */
  async check(block: string): Promise<MigrationCheck> {
    const text = await this.run(block);
    assert.ok(text.code === 0 || text.code === 1, `${text.stdout}\n${text.stderr}`);
    const json = await this.run(block.replace(/^bellhop migrate check.*$/m, "$& --output json"));
    const check = JSON.parse(json.stdout.slice(json.stdout.indexOf("{\n"))) as MigrationCheck;
    assert.equal(text.code, check.unchanged ? 0 : 1, text.stdout);
    return check;
  }
}

/** Gives the tests of this file a page of docs, with the user's image on the nodes of the cluster. */
export function useGuide(page: string, cluster: () => Cluster): () => Guide {
  let guide: Guide | undefined;
  before(async () => {
    guide = new Guide(page, cluster().lab);
    await guide.loadUserImage();
  });
  after(() => guide?.close());
  return () => {
    if (guide === undefined) throw new TypeError("the guide is only there while tests run");
    return guide;
  };
}

/** `namespace/name outcome`, of those that are no longer or not yet served as they are now. */
export function changesOf({ services }: MigrationCheck): readonly string[] {
  return services
    .filter(({ outcome }) => outcome !== "keeps")
    .map(({ service, outcome, reason }) => `${service} ${outcome}${reason === undefined ? "" : ` ${reason.code}`}`);
}
