import { appendFileSync, globSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached } from "../lab/build-cache.ts";
import { runChecked } from "../lab/command.ts";
import { showProgress } from "../lab/progress.ts";

/** An nft(8) of another Debian release than this machine's. */
export interface NftProgram {
  readonly suite: string;
  /** As it prints it: `1.1.3`. */
  readonly version: string;
  /** The program and its first arguments. */
  readonly command: readonly string[];
}

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

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

/** With lists and a state of its own, so that nothing on this machine changes. */
async function download(suite: string, folder: string): Promise<void> {
  const at = (...parts: readonly string[]) => join(folder, ...parts);
  for (const part of ["lists/partial", "cache/archives/partial", "root"]) mkdirSync(at(part), { recursive: true });
  writeFileSync(at("sources.list"), `deb [signed-by=${keyring}] http://deb.debian.org/debian ${suite} main\n`);
  appendFileSync(at("status"), "");
  const options = {
    "Dir::Etc::sourcelist": at("sources.list"),
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::State::lists": at("lists"),
    "Dir::State::status": at("status"),
    "Dir::Cache": at("cache"),
    "APT::Sandbox::User": "root",
  };
  const apt = ["apt-get", "-y", ...Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`])];
  await runChecked([...apt, "update"], { timeoutMs: 120_000 });
  const install = ["--no-install-recommends", "--download-only", "install", "nftables"];
  await runChecked([...apt, ...install], { timeoutMs: 120_000 });
  for (const file of globSync(at("cache/archives/*.deb"))) await runChecked(["dpkg-deb", "-x", file, at("root")]);
  await runChecked(["rm", "-r", at("lists"), at("cache")]);
}
