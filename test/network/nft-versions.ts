import { globSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { cached } from "../lab/build-cache.ts";
import { runChecked } from "../lab/command.ts";
import { showProgress } from "../lab/progress.ts";
import { DebianRelease } from "./debian-release.ts";

/** An nft(8) of another Debian release than this machine's. */
export interface NftProgram {
  readonly suite: string;
  /** As it prints it: `1.1.3`. */
  readonly version: string;
  /** The program and its first arguments. */
  readonly command: readonly string[];
}

/** The nft of a Debian release, with the libraries it was built with, downloaded and unpacked when it is not in the cache. Throws without a network. */
export async function fetchNft(suite: string): Promise<NftProgram> {
  const folder = await cached("nft", suite, showProgress(process.stderr), (unfinished) => download(suite, unfinished));
  const find = (pattern: string) => {
    const [found] = globSync(join(folder, "root", pattern));
    if (found === undefined) throw new Error(`the packages of ${suite} have no ${pattern}`);
    return found;
  };
  const libraries = join(find("{usr/lib,lib}/*-linux-gnu/libc.so.6"), "..");
  const loader = find("{usr/lib,lib}/*-linux-gnu/ld-linux-*.so.*");
  const command = [loader, "--library-path", libraries, find("usr/sbin/nft")];
  const version = /v(\S+)/.exec(await runChecked([...command, "--version"]))?.[1] ?? "";
  return { suite, version, command };
}

async function download(suite: string, folder: string): Promise<void> {
  const release = await DebianRelease.read(suite, folder);
  const files = await release.downloadWithDependencies("nftables");
  const root = join(folder, "root");
  mkdirSync(root);
  for (const file of globSync(files)) await runChecked(["dpkg-deb", "-x", file, root]);
  await release.deleteLists();
}
