import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Counter } from "prom-client";
import { healthRoutes, metricsRoute, type Routes } from "../../../../src/http/routes.ts";
import { startHttpServer } from "../../../../src/http/server.ts";
import { createRegistry } from "../../../../src/metrics/registry.ts";

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly type: string | null;
}

type Ask = (path: string, method?: string) => Promise<Answer>;

async function withServer(routes: Routes, use: (ask: Ask) => Promise<void>): Promise<void> {
  const server = await startHttpServer({ host: "127.0.0.1", port: 0, routes });
  try {
    await use(async (path, method = "GET") => {
      const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
      return { status: answer.status, text: await answer.text(), type: answer.headers.get("content-type") };
    });
  } finally {
    await server.close();
  }
}

describe("the HTTP server", () => {
  test("serves metrics in the Prometheus text format", async () => {
    const registry = createRegistry();
    new Counter({ name: "bellhop_test_total", help: "Test.", registers: [registry] }).inc();
    await withServer(metricsRoute(registry), async (ask) => {
      const { status, text, type } = await ask("/metrics");
      assert.equal(status, 200);
      assert.match(text, /bellhop_test_total 1/);
      assert.equal(type, registry.contentType);
    });
  });

  test("answers 503 with every fault while something is missing, whatever the query", async () => {
    const missing = ["services are not listed yet", "the rules are not written yet"];
    await withServer(healthRoutes({ unhealthy: () => [], unready: () => missing }), async (ask) => {
      assert.equal((await ask("/healthz")).text, "ok\n");
      const { status, text } = await ask("/readyz?verbose");
      assert.deepEqual([status, text], [503, "services are not listed yet\nthe rules are not written yet\n"]);
      missing.splice(0);
      assert.deepEqual((await ask("/readyz")).status, 200);
    });
  });

  test("serves whatever routes it is given, with their query", async () => {
    const routes: Routes = {
      "/": () => ({ status: 200, body: "<p>hello</p>", contentType: "text/html" }),
      "/echo": (query) => ({ status: 200, body: query.get("say") ?? "" }),
    };
    await withServer(routes, async (ask) => {
      assert.deepEqual(await ask("/"), { status: 200, text: "<p>hello</p>", type: "text/html" });
      assert.equal((await ask("/echo?say=a%20b")).text, "a b");
      const { status, text } = await ask("/nowhere");
      assert.deepEqual([status, text], [404, "the paths served here are /, /echo\n"]);
    });
  });

  test("a route that fails is answered with 500, and the server goes on", async () => {
    const broken: Routes = {
      "/broken": () => {
        throw new Error("no such collector");
      },
    };
    await withServer(broken, async (ask) => {
      for (let turn = 0; turn < 2; turn++) {
        const { status, text } = await ask("/broken");
        assert.equal(status, 500);
        assert.match(text, /no such collector/);
      }
    });
  });

  test("only reading is served", async () => {
    await withServer({ "/": () => ({ status: 200, body: "" }) }, async (ask) => {
      assert.equal((await ask("/", "HEAD")).status, 200);
      assert.equal((await ask("/", "POST")).status, 405);
    });
  });

  test("a port that is taken is reported", async () => {
    const options = { host: "127.0.0.1", routes: {} };
    const first = await startHttpServer({ ...options, port: 0 });
    await assert.rejects(startHttpServer({ ...options, port: first.port }), { code: "SocketFailed" });
    await first.close();
  });
});
