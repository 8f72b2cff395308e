import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { SpeakerWatch } from "../../../../controller/observe/speaker-watch.ts";
import { type Speaker, speakerSchema } from "../../../../src/api/speaker.ts";
import { FakeClock, settle } from "../../../../src/clock/fake.ts";
import { BellhopError } from "../../../../src/error/error.ts";
import { FakeApiServer } from "../../../../src/kube/fake.ts";
import { leasePath } from "../../../../src/kube/path.ts";
import { silentLogger } from "../../../../src/log/log.ts";
import { projectSpeakerLease, type SpeakerLeaseView } from "../../../../src/model/lease.ts";

describe("watching speakers", () => {
  const namespace = "bellhop-system";
  const name = "speaker-n1";
  let server: FakeApiServer;
  let clock: FakeClock;
  let views: Map<string, SpeakerLeaseView>;
  let speakers: Map<string, Speaker>;
  let connectedSinceMs: number | undefined;
  let changes: number;
  let watch: SpeakerWatch;
  let aborter: AbortController;

  beforeEach(async () => {
    server = new FakeApiServer();
    clock = new FakeClock();
    views = new Map();
    speakers = new Map();
    connectedSinceMs = 1;
    changes = 0;
    aborter = new AbortController();
    watch = new SpeakerWatch({
      client: server,
      namespace,
      leases: {
        views,
        synced: true,
        whenSynced: Promise.resolve(),
        get lastHeardMs() {
          return clock.monotonicMs();
        },
        get connectedSinceMs() {
          return connectedSinceMs;
        },
        run: () => Promise.resolve(),
      },
      speakers: { views: speakers },
      changes: { liveSpeakersChanged: () => changes++ },
      clock,
      log: silentLogger,
    });
    watch.run(aborter.signal);
    const spec = { holderIdentity: "n1", leaseDurationSeconds: 6, renewTime: "1" };
    await server.request({ method: "POST", path: leasePath(namespace), body: { metadata: { name }, spec } });
    await hearStored();
  });

  /** As the reflector would. */
  async function hearStored(): Promise<void> {
    const { body } = await server.request({ method: "GET", path: leasePath(namespace, name) });
    const view = projectSpeakerLease(body as object);
    if (view !== undefined) views.set(`${namespace}/${name}`, view);
    watch.leaseChanged(`${namespace}/${name}`);
    await settle();
  }

  async function renew(renewTime = String(clock.monotonicMs())): Promise<void> {
    const body = { spec: { renewTime } };
    const path = leasePath(namespace, name);
    await server.request({ method: "PATCH", path, body, contentType: "application/merge-patch+json" });
  }

  test("a silent speaker is gone soon after its lease has run out", async () => {
    await clock.advance(5_900);
    assert.equal(watch.live.has("n1"), true);
    await clock.advance(1_500);
    assert.deepEqual([watch.live.has("n1"), changes], [false, 2]);
    aborter.abort();
    assert.equal(clock.waiting, 0);
  });

  test("one that cannot renew its lease is alive while another speaker reports that it hears it", async () => {
    const lease = { node: "n2", holder: "n2", durationMs: 3_600_000, renewal: "1" };
    views.set(`${namespace}/speaker-n2`, lease);
    watch.leaseChanged(`${namespace}/speaker-n2`);
    const report = (hearing: readonly string[]): void => {
      const status = { bootNonce: "b", peers: { bootNonce: "b", hearing } };
      speakers.set("n2", speakerSchema.parse({ metadata: { name: "n2" }, status }));
      watch.speakerChanged("n2");
    };
    report(["n1"]);
    await clock.advance(60_000);
    assert.deepEqual([...watch.live].sort(), ["n1", "n2"]);
    changes = 0;
    report([]);
    assert.deepEqual([[...watch.live], changes], [["n2"], 1]);
    aborter.abort();
  });

  test("one whose renewals our watch does not bring is read again and found alive", async () => {
    for (let second = 0; second < 30; second++) {
      await renew();
      await clock.advance(1_000);
    }
    assert.equal(watch.live.has("n1"), true);
    aborter.abort();
  });

  test("no speaker is declared dead while the API server does not answer, nor right after", async () => {
    server.intercept = () => {
      throw new BellhopError("ApiUnreachable", "down");
    };
    await clock.advance(60_000);
    assert.equal(watch.live.has("n1"), true);
    server.intercept = undefined;
    connectedSinceMs = 2;
    await clock.advance(5_000);
    await renew();
    await hearStored();
    await clock.advance(5_000);
    assert.equal(watch.live.has("n1"), true);
    aborter.abort();
  });

  test("no speaker is declared dead while the watch is down", async () => {
    connectedSinceMs = undefined;
    await clock.advance(60_000);
    assert.equal(watch.live.has("n1"), true);
    aborter.abort();
  });

  for (const hours of [6, -6]) {
    test(`a clock that is set by ${hours} h, ours or the speaker's, declares dead no speaker that renews, and saves none that does not`, async () => {
      for (let renewal = 0; renewal < 10; renewal++) {
        const setMs = renewal < 5 ? 0 : hours * 3_600_000;
        await renew(new Date(clock.wallMs() + setMs).toISOString());
        await hearStored();
        await clock.advance(2_000);
        if (renewal === 7) clock.stepWall(-hours * 3_600_000);
      }
      assert.equal(watch.live.has("n1"), true);
      clock.stepWall(hours * 3_600_000);
      await clock.advance(3_000);
      assert.equal(watch.live.has("n1"), true);
      await clock.advance(2_500);
      assert.equal(watch.live.has("n1"), false);
      aborter.abort();
    });
  }
});
