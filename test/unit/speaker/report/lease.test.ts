import assert from "node:assert/strict";
import { test } from "node:test";
import { keepLease } from "../../../../speaker/report/lease.ts";
import { FakeClock } from "../../../../src/clock/fake.ts";
import { FakeApiServer } from "../../../../src/kube/fake.ts";
import { leasePath } from "../../../../src/kube/path.ts";
import { silentLogger } from "../../../../src/log/log.ts";

const path = leasePath("bellhop-system", "speaker-n1");

interface Lease {
  readonly metadata: { readonly labels: Readonly<Record<string, string>>; readonly resourceVersion: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

async function run(
  tell: (fixture: { api: FakeApiServer; clock: FakeClock; results: string[] }) => Promise<void>,
): Promise<void> {
  const fixture = { api: new FakeApiServer(), clock: new FakeClock(), results: [] as string[] };
  const stop = new AbortController();
  const onAttempt = (result: string) => void fixture.results.push(result);
  const options = {
    client: fixture.api,
    namespace: "bellhop-system",
    node: "n1",
    clock: fixture.clock,
    log: silentLogger,
  };
  const keeping = keepLease({ ...options, onAttempt }, stop.signal);
  await fixture.clock.advance(0);
  await tell(fixture);
  stop.abort();
  await keeping;
}

async function read(api: FakeApiServer): Promise<Lease> {
  return (await api.request({ method: "GET", path })).body as Lease;
}

test("the lease is made, with the label by which it is found, and renewed every 2 s", () =>
  run(async ({ api, clock, results }) => {
    const first = await read(api);
    assert.equal(first.metadata.labels["bellhop.dev/component"], "speaker");
    await clock.advance(10_000);
    assert.equal(results.length, 6);
    assert.ok(results.every((result) => result === "renewed"));
    assert.notEqual((await read(api)).spec.renewTime, first.spec.renewTime);
  }));

test("a lease that another client changed or deleted is renewed in the same attempt", () =>
  run(async ({ api, clock, results }) => {
    const contentType = "application/merge-patch+json";
    await api.request({ method: "PATCH", path, body: { metadata: { labels: { more: "x" } } }, contentType });
    await clock.advance(2_000);
    assert.deepEqual(results, ["renewed", "renewed"]);
    assert.equal((await read(api)).metadata.labels.more, "x");
    await api.request({ method: "DELETE", path });
    await clock.advance(2_000);
    assert.deepEqual(results, ["renewed", "renewed", "renewed"]);
    assert.equal((await read(api)).spec.holderIdentity, "n1");
  }));

test("a failure is tried again sooner, and the last lease stays", () =>
  run(async ({ api, clock, results }) => {
    api.intercept = () => {
      throw new Error("no route");
    };
    await clock.advance(5_000);
    assert.deepEqual(results, ["renewed", "failed", "failed", "failed", "failed"]);
    api.intercept = undefined;
    await clock.advance(1_000);
    assert.equal(results.at(-1), "renewed");
  }));

test("each renewal makes another version, also where the wall clock is set back to the time of the last one", () =>
  run(async ({ api, clock }) => {
    const seen = new Set<unknown>();
    for (let renewal = 0; renewal < 5; renewal++) {
      seen.add((await read(api)).metadata.resourceVersion);
      await clock.advance(2_000);
      clock.stepWall(-2_000);
    }
    assert.equal(seen.size, 5);
  }));
