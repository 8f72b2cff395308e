import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runChecked } from "../lab/command.ts";

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
const timeoutMs = 300_000;

/** The packages of a Debian release, whichever this machine runs. Lists and state are in a folder of its own, so that nothing on this machine changes. */
export class DebianRelease {
  readonly #options: readonly string[];
  readonly #folder: string;

  private constructor(folder: string, options: readonly string[]) {
    this.#folder = folder;
    this.#options = options;
  }

  /** Reads the lists of the release into the folder. Rejects without a network. */
  static async read(suite: string, folder: string): Promise<DebianRelease> {
    const at = (...parts: readonly string[]) => join(folder, ...parts);
    for (const part of ["lists/partial", "cache/archives/partial"]) mkdirSync(at(part), { recursive: true });
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
    const release = new DebianRelease(
      folder,
      Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
    );
    await release.#run("apt-get", ["update"]);
    return release;
  }

  #run(program: "apt-get" | "apt-cache", args: readonly string[]): Promise<string> {
    return runChecked([program, ...this.#options, ...args], { timeoutMs, cwd: this.#folder });
  }

  /** The names of the packages that a package depends on. */
  async dependenciesOf(name: string): Promise<readonly string[]> {
    const output = await this.#run("apt-cache", ["depends", "--important", name]);
    return [...output.matchAll(/^ +Depends: (\S+)$/gm)].map(([, found = ""]) => found);
  }

  /** Downloads a package and all that it depends on, and returns the pattern of their files. */
  async downloadWithDependencies(name: string): Promise<string> {
    await this.#run("apt-get", ["-y", "--no-install-recommends", "--download-only", "install", name]);
    return join(this.#folder, "cache/archives/*.deb");
  }

  /** Downloads one package, and returns the pattern of its file. */
  async download(name: string): Promise<string> {
    await this.#run("apt-get", ["download", name]);
    return join(this.#folder, `${name}_*.deb`);
  }

  /** Deletes the lists and what was downloaded with dependencies. */
  async deleteLists(): Promise<void> {
    await runChecked(["rm", "-r", join(this.#folder, "lists"), join(this.#folder, "cache")]);
  }
}
