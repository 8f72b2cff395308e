import assert from "node:assert/strict";
import { Server as NetServer, type Server } from "node:net";
import { describe, mock, test } from "node:test";
import { Counter } from "prom-client";
import { FakeClock } from "../../../../src/clock/fake.ts";
import { keepHttpServer } from "../../../../src/http/keep-http-server.ts";
import { healthRoutes, metricsRoute, type Routes } from "../../../../src/http/routes.ts";
import { startHttpServer } from "../../../../src/http/server.ts";
import { silentLogger } from "../../../../src/log/log.ts";
import { createRegistry } from "../../../../src/metrics/registry.ts";

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly type: string | null;
}

type Ask = (path: string, method?: string) => Promise<Answer>;

function withServer(routes: Routes, use: (ask: Ask) => Promise<void>): Promise<void> {
  return withServerOn("127.0.0.1", routes, use);
}

async function withServerOn(host: string, routes: Routes, use: (ask: Ask) => Promise<void>): Promise<void> {
  const server = await startHttpServer({ host, port: 0, routes });
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

  test("answers 503 with every problem while something is missing, whatever the query", async () => {
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

  test("a route that fails is answered with 500, and the server continues", async () => {
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

  test("the host :: is every address of both families", async () => {
    const server = await startHttpServer({
      host: "::",
      port: 0,
      routes: { "/": () => ({ status: 200, body: "here" }) },
    });
    try {
      for (const host of ["127.0.0.1", "[::1]"]) {
        assert.equal(await (await fetch(`http://${host}:${server.port}/`)).text(), "here", host);
      }
    } finally {
      await server.close();
    }
  });

  for (const code of ["EAFNOSUPPORT", "EADDRNOTAVAIL"]) {
    test(`where the kernel has no IPv6 (${code}) the host :: is every IPv4 address`, async () => {
      const listen = NetServer.prototype.listen;
      const refusing = mock.method(
        NetServer.prototype,
        "listen",
        function (this: Server, port: number, host: string, done: () => void) {
          if (host !== "::") return Reflect.apply(listen, this, [port, host, done]) as Server;
          process.nextTick(() => this.emit("error", Object.assign(new Error(code), { code })));
          return this;
        },
      );
      try {
        await withServerOn("::", { "/": () => ({ status: 200, body: "here" }) }, async (ask) => {
          assert.equal((await ask("/")).text, "here");
        });
      } finally {
        refusing.mock.restore();
      }
    });
  }
});

describe("the HTTP server of a program", () => {
  const options = { host: "127.0.0.1", routes: { "/": () => ({ status: 200, body: "ours" }) } };
  const quiet = { random: () => 0.5, log: silentLogger };

  test("waits for a port that another process has, and serves when it is free", async () => {
    const other = await startHttpServer({ ...options, port: 0, routes: {} });
    const clock = new FakeClock();
    const kept = await keepHttpServer({ ...options, ...quiet, clock, port: other.port });
    assert.equal(kept.port, undefined);
    await clock.advance(60_000);
    assert.equal(kept.port, undefined);
    await other.close();
    for (let attempt = 0; kept.port === undefined && attempt < 100; attempt++) {
      await clock.advance(60_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(await (await fetch(`http://127.0.0.1:${kept.port}/`)).text(), "ours");
    await kept.close();
    await assert.rejects(fetch(`http://127.0.0.1:${other.port}/`));
  });

  test("can be closed while it waits for its port", async () => {
    const other = await startHttpServer({ ...options, port: 0 });
    const clock = new FakeClock();
    const kept = await keepHttpServer({ ...options, ...quiet, clock, port: other.port });
    await kept.close();
    assert.equal(clock.waiting, 0);
    await other.close();
  });

  test("an address that can never be bound ends the start", async () => {
    const wrong = { ...options, ...quiet, host: "not an address", port: 0 };
    await assert.rejects(keepHttpServer({ ...wrong, clock: new FakeClock() }), { code: "SocketFailed" });
  });
});
