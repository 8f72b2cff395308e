import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { pino } from "pino";
import { FakeClock, settle } from "../../../../src/clock/fake.ts";
import { apiErrorOf } from "../../../../src/kube/api-error.ts";
import type { EventSubject } from "../../../../src/kube/event.ts";
import { ApiEventRecorder } from "../../../../src/kube/event-recorder.ts";
import { FakeApiServer } from "../../../../src/kube/fake.ts";
import { silentLogger } from "../../../../src/log/log.ts";
import { createRegistry } from "../../../../src/metrics/registry.ts";

const service: EventSubject = { apiVersion: "v1", kind: "Service", namespace: "shop", name: "web", uid: "u1" };
const warning = { type: "Warning", reason: "PoolExhausted", message: "no address is free" } as const;

let server: FakeApiServer;
let clock: FakeClock;
let recorder: ApiEventRecorder;
let busy: boolean;

beforeEach(() => {
  busy = false;
  server = new FakeApiServer();
  clock = new FakeClock();
  recorder = new ApiEventRecorder({
    client: server,
    component: "bellhop-controller",
    instance: "test",
    clock,
    log: silentLogger,
    registry: createRegistry(),
    busy: () => busy,
  });
});

async function events(namespace: string): Promise<{ reason: string; count: number; message: string }[]> {
  const { body } = await server.request({ method: "GET", path: `/api/v1/namespaces/${namespace}/events` });
  return (body as { items: { reason: string; count: number; message: string }[] }).items;
}

test("the same event is written once, and counted on after ten minutes", async () => {
  for (let turn = 0; turn < 5; turn++) recorder.record(service, warning);
  await settle();
  assert.deepEqual(
    (await events("shop")).map(({ reason, count }) => [reason, count]),
    [["PoolExhausted", 1]],
  );
  await clock.advance(11 * 60_000);
  recorder.record(service, warning);
  await settle();
  assert.deepEqual(
    (await events("shop")).map(({ count }) => count),
    [2],
  );
});

test("messages of any length are cut to 1 KiB, and cost no memory", async () => {
  const before = process.memoryUsage().heapUsed;
  for (let turn = 0; turn < 300; turn++) {
    recorder.record(service, { ...warning, message: `${"…".repeat(250_000)}${turn}` });
    await settle();
  }
  const [event] = await events("shop");
  assert.ok(Buffer.byteLength(event?.message ?? "") <= 1_024 && event?.message.endsWith("…"));
  // Kept whole they would be 150 MB.
  assert.ok(process.memoryUsage().heapUsed - before < 60e6);
});

test("another message or another object is another event", async () => {
  recorder.record(service, warning);
  recorder.record(service, { ...warning, message: "still none" });
  recorder.record({ ...service, uid: "u2" }, warning);
  await settle();
  assert.equal((await events("shop")).length, 3);
});

test("events of cluster-scoped objects live in default", async () => {
  recorder.record({ apiVersion: "bellhop.dev/v1beta1", kind: "IPAddressPool", name: "lan", uid: "p" }, warning);
  await settle();
  assert.equal((await events("default")).length, 1);
});

const normal = { type: "Normal", reason: "EnsuredLoadBalancer", message: "Ensured load balancer 192.0.2.1" } as const;

test("while there is more important work, Warnings are written, Normal events wait, a few a second, and none is lost", async () => {
  busy = true;
  for (let index = 0; index < 50; index++) recorder.record({ ...service, uid: `u${index}` }, normal);
  recorder.record(service, warning);
  await settle();
  assert.deepEqual((await events("shop")).map(({ reason }) => reason).sort(), ["EnsuredLoadBalancer", "PoolExhausted"]);
  await clock.advance(1_000);
  assert.equal((await events("shop")).length, 12);
  busy = false;
  await clock.advance(200);
  assert.equal((await events("shop")).length, 51);
});

test("at the end all that waits is written, also amid work", async () => {
  busy = true;
  for (let index = 0; index < 50; index++) recorder.record({ ...service, uid: `u${index}` }, normal);
  await recorder.flush(2_000);
  assert.equal((await events("shop")).length, 50);
});

test("flush gives up after its limit, and an unreachable server delays nothing", async () => {
  server.intercept = () => new Promise(() => {});
  for (let index = 0; index < 6_000; index++) recorder.record({ ...service, uid: `u${index}` }, warning);
  let flushed = false;
  const flushing = recorder.flush(2_000).then(() => {
    flushed = true;
  });
  await clock.advance(1_999);
  assert.equal(flushed, false);
  await clock.advance(1);
  await flushing;
  assert.ok(server.requests.length <= 4);
});

for (const hours of [6, -6]) {
  test(`a wall clock that is set by ${hours} h makes no repetition of an event, and hides no later one`, async () => {
    recorder.record(service, warning);
    await settle();
    clock.stepWall(hours * 3_600_000);
    await clock.advance(9 * 60_000);
    recorder.record(service, warning);
    await settle();
    assert.deepEqual(
      (await events("shop")).map(({ count }) => count),
      [1],
    );
    await clock.advance(2 * 60_000);
    recorder.record(service, warning);
    recorder.record(service, { ...warning, message: "still none" });
    await settle();
    assert.deepEqual((await events("shop")).map(({ count }) => count).sort(), [1, 2]);
  });
}

describe("an event that the API server refuses", () => {
  const forbidden = (causes: readonly unknown[]) => ({
    reason: "Forbidden",
    message: "forbidden",
    details: { causes },
  });
  const cases = [
    {
      words: "because the namespace is being deleted is dropped without a warning",
      error: apiErrorOf("POST", 403, forbidden([{ reason: "NamespaceTerminating" }, { type: "NamespaceTerminating" }])),
      warnings: 0,
      result: "dropped",
    },
    {
      words: "because the namespace is gone is dropped without a warning",
      error: apiErrorOf("POST", 404, { reason: "NotFound" }),
      warnings: 0,
      result: "dropped",
    },
    {
      words: "because it may not be written is a failure with a warning",
      error: apiErrorOf("POST", 403, forbidden([null, { type: 7 }])),
      warnings: 1,
      result: "failed",
    },
  ] as const;
  for (const { words, error, warnings, result } of cases) {
    test(words, async () => {
      const registry = createRegistry();
      const lines: string[] = [];
      const log = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
      const client = new FakeApiServer();
      client.intercept = () => Promise.reject(error);
      new ApiEventRecorder({ client, component: "c", instance: "i", clock, log, registry }).record(service, warning);
      await settle();
      assert.equal(lines.length, warnings);
      assert.match(await registry.metrics(), new RegExp(`bellhop_events_total{result="${result}"} 1`));
    });
  }
});
