import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { FakeClock, settle } from "../../../../src/clock/fake.ts";
import { BellhopError } from "../../../../src/error/error.ts";
import { FakeApiServer } from "../../../../src/kube/fake.ts";
import { runLeaderElection } from "../../../../src/kube/leader-election.ts";
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
  stop(): Promise<void>;
}

function stand(identity: string, reach: () => boolean = () => true): Contender {
  const aborter = new AbortController();
  const state = { leading: false, terms: 0, stop: () => Promise.resolve() };
  const running = runLeaderElection(
    {
      client: {
        request: (request) =>
          reach() ? server.request(request) : Promise.reject(new BellhopError("ApiUnreachable", "cut off")),
        watch: (request, options) => server.watch(request, options),
      },
      namespace: "bellhop-system",
      name: "controller",
      identity,
      lead: async (signal) => {
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

test("one leads, the other stands by and takes over at once when the first leaves in good order", async () => {
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
  test(`a wall clock that is set by ${hours} h neither ends a term nor keeps the next one from standing in`, async () => {
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
