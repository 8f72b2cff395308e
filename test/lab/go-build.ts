import { spawn } from "node:child_process";
import type { Hash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { runChecked } from "./command.ts";
import { LabError } from "./error.ts";

export interface GoBuild {
  /** The folder of the Go module. */
  readonly module: string;
  /** The package to compile, or `tool` for all tools that the module names. */
  readonly package: string;
  /** The file it becomes; a folder when it ends with a slash. */
  readonly output: string;
  /** Strings that are stamped into the program, by the name of the Go variable. */
  readonly stamps: Readonly<Record<string, string>>;
  /** `test` compiles the tests of the package into a program; `build`, the default, the package itself. */
  readonly verb?: "build" | "test";
}

function buildEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, CGO_ENABLED: "0", GOWORK: "off", GOOS: "linux" };
}

/** Version and architecture of the compiler that builds a module. */
export function goCompiler(module: string): Promise<string> {
  // Asked inside the module, because Go fetches another version of itself when the module wants a newer one.
  return runChecked(["go", "env", "GOVERSION", "GOARCH"], { cwd: module, env: buildEnvironment(), timeoutMs: 600_000 });
}

/** Adds the files of a module to a key of the cache, under the module's name. */
export function hashModule(hash: Hash, name: string, folder: string): void {
  for (const file of readdirSync(folder).sort()) {
    hash.update(`\0${name}/${file}\0`).update(readFileSync(join(folder, file)));
  }
}

/** Compiles one program. `note` receives how far it is. */
export async function goBuild(build: GoBuild, note: (text: string) => void): Promise<void> {
  const { verb = "build" } = build;
  const stamps = Object.entries(build.stamps).map(([variable, value]) => `-X ${variable}=${value}`);
  const flags = ["-buildvcs=false", "-trimpath", "-ldflags", ["-s -w", ...stamps].join(" ")];
  // For `go test`, -v means the output of tests, and nothing reports the packages.
  const args = [verb, verb === "test" ? "-c" : "-v", ...flags, "-o", build.output, build.package];
  const child = spawn("go", args, { cwd: build.module, env: buildEnvironment(), stdio: ["ignore", "ignore", "pipe"] });
  const said: string[] = [];
  let compiled = 0;
  createInterface({ input: child.stderr }).on("line", (line) => {
    said.push(line);
    if (!line.includes(" ")) compiled += 1;
    note(line.startsWith("go: downloading ") ? line.slice(4) : `${compiled} packages  ${line}`);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", (cause) => reject(new LabError("build-failed", `go cannot be run: ${cause.message}`)));
    child.once("close", resolve);
  });
  if (code === 0) return;
  const output = said.slice(-30).join("\n");
  const message = `go ${verb} ${build.package}: exit code ${code}\n${output}${buildHint(output)}`;
  throw new LabError("build-failed", message);
}

/** What to do about the usual reasons for which Go cannot compile on a machine; empty when it is another one. */
export function buildHint(output: string): string {
  if (/no space left on device|disk quota exceeded/i.test(output)) {
    return "\nthe disk is full: make room in Go's caches (go env GOCACHE GOMODCACHE) or in the temporary folder (TMPDIR)";
  }
  if (
    /dial tcp|no such host|i\/o timeout|connection refused|TLS handshake|proxyconnect|module lookup disabled/i.test(
      output,
    )
  ) {
    return "\nthe module proxy cannot be reached: Go downloads modules the first time; see go env GOPROXY, or set HTTPS_PROXY";
  }
  return "";
}
