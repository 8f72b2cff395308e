import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { stringify } from "yaml";
import { createProgram } from "../../../../src/cli/program.ts";
import { aborted } from "../../../../src/clock/clock.ts";
import { type ProgramWork, runProgram } from "../../../../src/program/run-program.ts";
import { version } from "../../../../src/program/version.ts";

const packageVersion = (
  JSON.parse(readFileSync(join(import.meta.dirname, "../../../../package.json"), "utf8")) as { version: string }
).version;

describe("the start of a program", () => {
  let folder: string;
  let kubeconfig: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "bellhop-program-"));
    kubeconfig = join(folder, "kubeconfig");
    const clusters = [{ name: "test", cluster: { server: "https://127.0.0.1:1", "insecure-skip-tls-verify": true } }];
    const contexts = [{ name: "test", context: { cluster: "test", user: "test" } }];
    const users = [{ name: "test", user: {} }];
    const config = { apiVersion: "v1", kind: "Config", clusters, contexts, users, "current-context": "test" };
    writeFileSync(kubeconfig, stringify(config));
  });
  after(() => rmSync(folder, { recursive: true }));

  const settings = { httpHost: "127.0.0.1", httpPort: 0, logLevel: "error" as const };
  const idle = { unready: () => [], facts: {} };

  /** Any free port, so that a test can ask there. */
  async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  test("serves metrics with the version, health, and the program's own routes, until its work is over", async () => {
    const httpPort = await freePort();
    const get = async (path: string): Promise<readonly [number, string]> => {
      const answer = await fetch(`http://127.0.0.1:${httpPort}${path}`);
      return [answer.status, await answer.text()];
    };
    const ending = new AbortController();
    const missing = ["services are not listed yet"];
    const work: ProgramWork = {
      unready: () => missing,
      facts: {},
      routes: { "/own": () => ({ status: 200, body: "own\n" }) },
      run: async (signal) => {
        assert.equal((await get("/readyz"))[0], 503);
        missing.pop();
        assert.equal((await get("/readyz"))[0], 200);
        assert.deepEqual(await get("/own"), [200, "own\n"]);
        const [, metrics] = await get("/metrics");
        assert.ok(metrics.includes(`bellhop_build_info{version="${packageVersion}"} 1`));
        assert.match(metrics, /^process_resident_memory_bytes /m);
        ending.abort();
        assert.ok(signal.aborted);
        assert.equal((await get("/healthz"))[0], 200, "probes are answered while the work finishes");
      },
    };
    await runProgram("bellhop-test", { ...settings, httpPort, kubeconfig }, ending.signal, () => work);
    await assert.rejects(get("/healthz"), "the server is closed");
  });

  test("works although another process has its port", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port: httpPort } = other.address() as { port: number };
    let worked = false;
    const run = async (): Promise<void> => {
      worked = true;
    };
    const { signal } = new AbortController();
    await runProgram("bellhop-test", { ...settings, httpPort, kubeconfig }, signal, () => ({ ...idle, run }));
    assert.ok(worked);
    await new Promise((resolve) => other.close(resolve));
  });

  test("what the work throws is thrown, and nothing stays open", async () => {
    const httpPort = await freePort();
    const run = async (): Promise<void> => {
      throw new Error("the responder thread died");
    };
    const { signal } = new AbortController();
    const running = runProgram("bellhop-test", { ...settings, httpPort, kubeconfig }, signal, () => ({ ...idle, run }));
    await assert.rejects(running, /the responder thread died/);
    await assert.rejects(fetch(`http://127.0.0.1:${httpPort}/healthz`));
  });

  test("a Kubernetes that is too old ends the work, and the message names both versions", async () => {
    const api = createHttpServer((_, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ major: "1", minor: "30", gitVersion: "v1.30.4" }));
    });
    await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = api.address() as { port: number };
      const old = join(folder, "old");
      writeFileSync(old, readFileSync(kubeconfig, "utf8").replace("https://127.0.0.1:1", `http://127.0.0.1:${port}`));
      const { signal } = new AbortController();
      const run = async (ending: AbortSignal): Promise<void> => aborted(ending);
      const running = runProgram("bellhop-test", { ...settings, kubeconfig: old }, signal, () => ({ ...idle, run }));
      await assert.rejects(running, { code: "ConfigurationInvalid", message: /v1\.30\.4 is too old.*1\.31/ });
    } finally {
      api.closeAllConnections();
      api.close();
    }
  });

  test("a kubeconfig that is not there is reported before anything starts", async () => {
    const { signal } = new AbortController();
    const missing = { ...settings, kubeconfig: join(folder, "none") };
    const prepare = (): ProgramWork => assert.fail("the program was prepared");
    await assert.rejects(runProgram("bellhop-test", missing, signal, prepare), { code: "ConfigurationInvalid" });
  });
});

test("the version is that of package.json, and bellhop --version says so", () => {
  assert.equal(version, packageVersion);
  assert.equal(createProgram().version(), packageVersion);
});
