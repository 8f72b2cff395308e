import assert from "node:assert/strict";
import { test } from "node:test";
import { keepLease } from "../../../../speaker/report/lease.ts";
import { leaseTimingFor } from "../../../../speaker/report/lease-timing.ts";
import { type OwnerReference, ownedByNode } from "../../../../src/api/speaker.ts";
import { FakeClock } from "../../../../src/clock/fake.ts";
import { FakeApiServer } from "../../../../src/kube/fake.ts";
import { leasePath } from "../../../../src/kube/path.ts";
import { silentLogger } from "../../../../src/log/log.ts";

const path = leasePath("bellhop-system", "speaker-n1");

interface Lease {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly resourceVersion: string;
    readonly ownerReferences?: readonly OwnerReference[];
  };
  readonly spec: Readonly<Record<string, unknown>>;
}

async function run(
  tell: (fixture: {
    api: FakeApiServer;
    clock: FakeClock;
    results: string[];
    nodeUid: string;
    heard: boolean;
  }) => Promise<void>,
): Promise<void> {
  const fixture = {
    api: new FakeApiServer(),
    clock: new FakeClock(),
    results: [] as string[],
    nodeUid: "",
    heard: false,
  };
  const stop = new AbortController();
  const leaseRenewals = { inc: ({ result }: { readonly result: string }) => void fixture.results.push(result) };
  const options = {
    client: fixture.api,
    namespace: "bellhop-system",
    node: "n1",
    owner: {
      get references() {
        return fixture.nodeUid === "" ? undefined : ownedByNode("n1", fixture.nodeUid);
      },
    },
    heard: () => fixture.heard,
    clock: fixture.clock,
    random: () => 0,
    log: silentLogger,
  };
  const keeping = keepLease({ ...options, leaseRenewals }, stop.signal);
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

test("the lease belongs to the Node as soon as that is known, and to the Node that is registered again", () =>
  run(async (fixture) => {
    const owners = async () => {
      const { metadata } = await read(fixture.api);
      return (metadata.ownerReferences ?? []).map(({ kind, name, uid }) => `${kind} ${name} ${uid}`);
    };
    assert.deepEqual(await owners(), []);
    for (const uid of ["uid-1", "uid-2"]) {
      fixture.nodeUid = uid;
      await fixture.clock.advance(2_000);
      assert.deepEqual(await owners(), [`Node n1 ${uid}`]);
    }
    await fixture.api.request({ method: "DELETE", path });
    await fixture.clock.advance(2_000);
    assert.deepEqual(await owners(), ["Node n1 uid-2"]);
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

const timings = [
  { nodes: 0, heard: false, leaseSeconds: 6, renewMs: 2_000 },
  { nodes: 1, heard: false, leaseSeconds: 6, renewMs: 2_000 },
  { nodes: 200, heard: false, leaseSeconds: 6, renewMs: 2_000 },
  { nodes: 300, heard: false, leaseSeconds: 7, renewMs: 3_000 },
  { nodes: 500, heard: false, leaseSeconds: 10, renewMs: 5_000 },
  { nodes: 1_000, heard: false, leaseSeconds: 20, renewMs: 10_000 },
  { nodes: 5_000, heard: false, leaseSeconds: 20, renewMs: 10_000 },
  { nodes: 1, heard: true, leaseSeconds: 20, renewMs: 5_000 },
  { nodes: 500, heard: true, leaseSeconds: 20, renewMs: 5_000 },
  { nodes: 700, heard: true, leaseSeconds: 28, renewMs: 7_000 },
  { nodes: 5_000, heard: true, leaseSeconds: 40, renewMs: 10_000 },
] as const;
for (const { nodes, heard, ...timing } of timings) {
  const { leaseSeconds, renewMs } = timing;
  const who = heard ? "are heard" : "are not heard";
  test(`leases of ${nodes} speakers that ${who} last ${leaseSeconds} s and are renewed every ${renewMs} ms, no more often than the kubelets' together`, () => {
    assert.deepEqual(leaseTimingFor(nodes, heard), timing);
    assert.ok(nodes / (renewMs / 1_000) <= Math.max(100, nodes / 10));
  });
}

test("while others hear this speaker the lease is a slow copy, and no longer from the next renewal on", () =>
  run(async (fixture) => {
    const { api, clock, results } = fixture;
    fixture.heard = true;
    await clock.advance(2_000);
    assert.equal((await read(api)).spec.leaseDurationSeconds, 20);
    const before = results.length;
    await clock.advance(20_000);
    assert.equal(results.length - before, 4);
    fixture.heard = false;
    await clock.advance(5_000);
    assert.equal((await read(api)).spec.leaseDurationSeconds, 6);
  }));

test("the timing follows the number of nodes: first the lease says that it lasts longer, then it is renewed less often", () =>
  run(async ({ api, clock, results }) => {
    const addNodes = async (from: number, to: number): Promise<void> => {
      for (let index = from; index < to; index++) {
        await api.request({ method: "POST", path: "/api/v1/nodes", body: { metadata: { name: `n${index}` } } });
      }
    };
    await addNodes(0, 1_000);
    assert.equal((await read(api)).spec.leaseDurationSeconds, 6);
    await clock.advance(10 * 60_000);
    assert.equal((await read(api)).spec.leaseDurationSeconds, 6, "counted when it was made, without any node");
    await clock.advance(2_000);
    assert.equal((await read(api)).spec.leaseDurationSeconds, 20);
    const before = results.length;
    await clock.advance(60_000);
    assert.equal(results.length - before, 6);
    for (let index = 100; index < 1_000; index++) {
      await api.request({ method: "DELETE", path: `/api/v1/nodes/n${index}` });
    }
    await clock.advance(10 * 60_000);
    assert.equal((await read(api)).spec.leaseDurationSeconds, 6);
  }));

test("where nodes cannot be counted the timing stays as it is, and the lease is renewed all the same", () =>
  run(async ({ api, clock, results }) => {
    api.intercept = ({ path: requested }) => {
      if (requested === "/api/v1/nodes") throw new Error("forbidden");
    };
    await clock.advance(20 * 60_000);
    assert.ok(results.length >= 600 && results.every((result) => result === "renewed"));
    assert.equal((await read(api)).spec.leaseDurationSeconds, 6);
  }));
