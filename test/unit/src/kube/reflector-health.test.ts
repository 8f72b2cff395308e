import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, settle } from "../../../../src/clock/fake.ts";
import { BellhopError } from "../../../../src/error/error.ts";
import { FakeApiServer } from "../../../../src/kube/fake.ts";
import { createKubeMetrics } from "../../../../src/kube/metrics.ts";
import { createReflector } from "../../../../src/kube/reflector.ts";
import { reflectorFaults } from "../../../../src/kube/reflector-health.ts";
import { silentLogger } from "../../../../src/log/log.ts";
import { createRegistry } from "../../../../src/metrics/registry.ts";

test("a program is unready until all is listed, and again minutes after the API server was lost, until it is back", async () => {
  const [server, clock] = [new FakeApiServer(), new FakeClock()];
  const pods = createReflector({
    client: server,
    resource: "pods",
    path: "/api/v1/pods",
    project: (raw) => raw,
    onChange: () => {},
    clock,
    random: () => 0.5,
    log: silentLogger,
    metrics: createKubeMetrics(createRegistry()),
  });
  const faults = (): readonly string[] => reflectorFaults({ pods }, clock.monotonicMs());
  assert.deepEqual(faults(), ["pods are not listed yet"]);
  const aborter = new AbortController();
  const running = pods.run(aborter.signal);
  await settle();
  assert.deepEqual(faults(), []);
  server.intercept = () => {
    throw new BellhopError("ApiUnreachable", "connect ECONNREFUSED");
  };
  server.endWatches(new BellhopError("ApiUnreachable", "cut"));
  await clock.advance(230_000);
  assert.deepEqual(faults(), [], "a short outage changes nothing");
  await clock.advance(20_000);
  assert.deepEqual(faults(), ["the API server has said nothing about pods for 250 s"]);
  server.intercept = undefined;
  await clock.advance(31_000);
  assert.deepEqual(faults(), []);
  aborter.abort();
  await running;
});
