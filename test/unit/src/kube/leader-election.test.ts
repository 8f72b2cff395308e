import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { pause } from "../../../../src/clock/clock.ts";
import { FakeClock, settle } from "../../../../src/clock/fake.ts";
import { BellhopError } from "../../../../src/error/error.ts";
import { type ApiRequest, type ApiResponse, patchTypes } from "../../../../src/kube/client.ts";
import { FakeApiServer } from "../../../../src/kube/fake.ts";
import { runLeaderElection } from "../../../../src/kube/leader-election.ts";
import { leasePath } from "../../../../src/kube/path.ts";
import { silentLogger } from "../../../../src/log/log.ts";
import { expectNothingLeft } from "../../expect-nothing-left.ts";

let server: FakeApiServer;
let clock: FakeClock;

beforeEach(() => {
  server = new FakeApiServer();
  clock = new FakeClock();
});

interface Contender {
  readonly leading: boolean;
  readonly terms: number;
  /** Of the lease, when it was acquired last. */
  readonly found: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

function stand(
  identity: string,
  reach: () => boolean = () => true,
  answer: (request: ApiRequest, send: () => Promise<ApiResponse>) => Promise<ApiResponse> = (_, send) => send(),
  annotations: () => Readonly<Record<string, string>> = () => ({}),
): Contender {
  const aborter = new AbortController();
  const state = { leading: false, terms: 0, found: {}, stop: () => Promise.resolve() };
  const running = runLeaderElection(
    {
      client: {
        request: (request) =>
          reach()
            ? answer(request, () => server.request(request))
            : Promise.reject(new BellhopError("ApiUnreachable", "cut off")),
        list: (request, take) => server.list(request, take),
        watch: (request, options) => server.watch(request, options),
      },
      namespace: "bellhop-system",
      name: "controller",
      identity,
      annotations,
      lead: async (signal, found) => {
        state.found = found;
        state.leading = true;
        state.terms++;
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
        state.leading = false;
      },
      clock,
      random: () => 0,
      log: silentLogger,
    },
    aborter.signal,
  );
  state.stop = async () => {
    aborter.abort();
    await running;
  };
  return state;
}

test("one leads, the standby takes over at once when the first leaves in good order", async () => {
  const first = stand("a");
  await settle();
  const second = stand("b");
  await clock.advance(60_000);
  assert.deepEqual([first.leading, second.leading], [true, false]);
  await first.stop();
  await clock.advance(2_000);
  assert.equal(second.leading, true);
  await second.stop();
  assert.equal(clock.waiting, 0);
});

test("a leader that is cut off stops before another starts", async () => {
  let reachable = true;
  const first = stand("a", () => reachable);
  await settle();
  const second = stand("b");
  await clock.advance(4_000);
  reachable = false;
  for (let second_ = 0; second_ < 30; second_++) {
    await clock.advance(1_000);
    assert.equal(first.leading && second.leading, false);
  }
  assert.deepEqual([first.leading, second.leading], [false, true]);
  reachable = true;
  await clock.advance(30_000);
  assert.deepEqual([first.leading, second.leading], [false, true]);
  await second.stop();
  await clock.advance(4_000);
  assert.equal(first.leading, true);
  await first.stop();
});

test("a short outage costs nothing", async () => {
  let reachable = true;
  const only = stand("a", () => reachable);
  await clock.advance(3_000);
  reachable = false;
  await clock.advance(6_000);
  reachable = true;
  await clock.advance(20_000);
  assert.deepEqual([only.leading, only.terms], [true, 1]);
  await only.stop();
});

test("while it leads, a renewal is one request", async () => {
  const only = stand("a");
  await settle();
  const before = server.requests.length;
  await clock.advance(20_000);
  assert.equal(server.requests.length - before, 10);
  await only.stop();
});

for (const hours of [6, -6]) {
  test(`a wall clock that is set by ${hours} h neither ends a term nor keeps a standby from taking over`, async () => {
    let reachable = true;
    const first = stand("a", () => reachable);
    await settle();
    const second = stand("b");
    await clock.advance(5_000);
    clock.stepWall(hours * 3_600_000);
    await clock.advance(60_000);
    assert.deepEqual([first.leading, first.terms, second.leading], [true, 1, false]);
    reachable = false;
    clock.stepWall(-hours * 3_600_000);
    await clock.advance(30_000);
    assert.deepEqual([first.leading, second.leading, second.terms], [false, true, 1]);
    await first.stop();
    await second.stop();
  });
}

test("a leader whose wall clock says the same time at each renewal is not taken for dead", async () => {
  const first = stand("a");
  await settle();
  const second = stand("b");
  for (let renewal = 0; renewal < 30; renewal++) {
    await clock.advance(2_000);
    clock.stepWall(-2_000);
  }
  assert.deepEqual([first.leading, first.terms, second.leading], [true, 1, false]);
  await first.stop();
  await second.stop();
});

test("a leader keeps nothing of a renewal that is over", async () => {
  const leader = stand("a");
  await clock.advance(60_000);
  assert.equal(leader.leading, true);
  const forget = () => {
    server.requests.length = 0;
    server.compact();
  };
  await expectNothingLeft(300, () => clock.advance(2_000), forget);
  await leader.stop();
});

test("a leader that was stalled for longer than its lease renews it again, where no other took it", async () => {
  // Without a millisecond for the answer there is none.
  const only = stand(
    "a",
    () => true,
    async (request, send) => {
      if ((request.timeoutMs ?? 0) > 1) return send();
      throw new BellhopError("ApiUnreachable", `no complete response within ${request.timeoutMs} ms`);
    },
  );
  await clock.advance(10_000);
  for (let stall = 0; stall < 10; stall++) {
    clock.stall(30_000);
    await clock.advance(2_000);
  }
  assert.deepEqual([only.leading, only.terms], [true, 1]);
  await only.stop();
});

test("a leader that was stalled stops at once when it runs again, where another took the lease", async () => {
  const first = stand("a");
  await settle();
  await clock.advance(4_000);
  const lease = await server.request({ method: "GET", path: leasePath("bellhop-system", "controller") });
  const taken = lease.body as { spec: Record<string, unknown> };
  clock.stall(30_000);
  await server.request({
    method: "PUT",
    path: leasePath("bellhop-system", "controller"),
    body: { ...taken, spec: { ...taken.spec, holderIdentity: "b" } },
  });
  await clock.advance(0);
  assert.deepEqual([first.leading, first.terms], [false, 1]);
  const body = (await server.request({ method: "GET", path: leasePath("bellhop-system", "controller") })).body;
  assert.equal((body as { spec: { holderIdentity: string } }).spec.holderIdentity, "b");
  await first.stop();
});

test("a leader that is stalled while it waits for answers, so that all of them are overdue, continues to lead", async () => {
  let stalls = 0;
  const only = stand(
    "a",
    () => true,
    async (request, send) => {
      const response = await send();
      if (request.method !== "PUT" || stalls === 0) return response;
      stalls--;
      clock.stall(25_000);
      throw new BellhopError("ApiUnreachable", `no complete response within ${request.timeoutMs} ms`);
    },
  );
  await clock.advance(10_000);
  stalls = 3;
  for (let turn = 0; turn < 5; turn++) await clock.advance(10_000);
  assert.deepEqual([stalls, only.leading, only.terms], [0, true, 1]);
  await only.stop();
});

test("no request for the lease has less time for its answer than a retry takes", async () => {
  const timeoutsMs: number[] = [];
  let slow = false;
  const only = stand(
    "a",
    () => true,
    async (request, send) => {
      timeoutsMs.push(request.timeoutMs ?? 0);
      if (!slow) return send();
      await pause(clock, request.timeoutMs ?? 0);
      throw new BellhopError("ApiUnreachable", "too slow");
    },
  );
  await clock.advance(10_000);
  slow = true;
  clock.stall(9_500);
  await clock.advance(60_000);
  assert.equal(only.leading, false);
  assert.ok(timeoutsMs.length > 10 && timeoutsMs.every((ms) => ms >= 2_000 && ms <= 5_000), timeoutsMs.join());
  slow = false;
  await clock.advance(10_000);
  assert.equal(only.leading, true);
  await only.stop();
});

test("a lease that has changed is read with no less time, however long the refusal of the renewal took", async () => {
  const path = leasePath("bellhop-system", "controller");
  const readsMs: number[] = [];
  let slow = false;
  let versions = 0;
  const only = stand(
    "a",
    () => true,
    async (request, send) => {
      const timeoutMs = request.timeoutMs ?? 0;
      if (slow && request.method === "GET") readsMs.push(timeoutMs);
      if (!slow || request.method !== "PUT") return send();
      await pause(clock, Math.min(4_500, timeoutMs - 100));
      // Another client writes a field of its own, so the renewal meets another version.
      const body = { metadata: { annotations: { version: String(versions++) } } };
      await server.request({ method: "PATCH", path, body, contentType: patchTypes.merge });
      return send();
    },
  );
  await clock.advance(10_000);
  slow = true;
  await clock.advance(30_000);
  assert.ok(readsMs.length > 2 && readsMs.every((ms) => ms >= 2_000), readsMs.join());
  await only.stop();
});

test("annotations are written with each renewal, and the next leader receives them", async () => {
  let value = "1";
  const first = stand("a", undefined, undefined, () => (value === "" ? {} : { kept: value }));
  await clock.advance(10_000);
  value = "2";
  await clock.advance(10_000);
  value = "";
  await first.stop();
  const second = stand("b", undefined, undefined, () => ({ own: "b" }));
  await clock.advance(10_000);
  assert.deepEqual(second.found, { kept: "2", own: "b" });
  await second.stop();
});

test("a renewal whose answer was lost does not end the term", async () => {
  let lost = 0;
  const only = stand(
    "a",
    () => true,
    async (request, send) => {
      const response = await send();
      if (request.method !== "PUT" || lost === 0) return response;
      lost--;
      throw new BellhopError("ApiUnreachable", "the answer was lost");
    },
  );
  await clock.advance(10_000);
  lost = 1;
  await clock.advance(20_000);
  assert.deepEqual([lost, only.leading, only.terms], [0, true, 1]);
  await only.stop();
});
