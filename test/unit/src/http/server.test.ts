import assert from "node:assert/strict";
import { test } from "node:test";
import { Counter } from "prom-client";
import { startHttpServer } from "../../../../src/http/server.ts";
import { createRegistry } from "../../../../src/metrics/registry.ts";

test("serves metrics, and 503 with every fault while something is missing", async () => {
  const registry = createRegistry();
  new Counter({ name: "bellhop_test_total", help: "Test.", registers: [registry] }).inc();
  const missing = ["services are not listed yet"];
  const server = await startHttpServer({
    host: "127.0.0.1",
    port: 0,
    registry,
    unhealthy: () => [],
    unready: () => missing,
  });
  const get = async (path: string): Promise<readonly [number, string]> => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`);
    return [answer.status, await answer.text()];
  };
  try {
    assert.deepEqual(await get("/healthz"), [200, "ok\n"]);
    assert.deepEqual(await get("/readyz?verbose"), [503, "services are not listed yet\n"]);
    missing.pop();
    assert.deepEqual(await get("/readyz"), [200, "ok\n"]);
    const [status, text] = await get("/metrics");
    assert.equal(status, 200);
    assert.match(text, /bellhop_test_total 1/);
    assert.equal((await get("/"))[0], 404);
  } finally {
    await server.close();
  }
});

test("a port that is taken is told", async () => {
  const options = { host: "127.0.0.1", registry: createRegistry(), unhealthy: () => [], unready: () => [] };
  const first = await startHttpServer({ ...options, port: 0 });
  await assert.rejects(startHttpServer({ ...options, port: first.port }), { code: "SocketFailed" });
  await first.close();
});
