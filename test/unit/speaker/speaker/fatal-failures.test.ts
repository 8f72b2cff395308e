import assert from "node:assert/strict";
import { BellhopError } from "../../../../src/error/error.ts";
import { story } from "./story.ts";

story("the death of the responder ends the speaker", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  fixture.responder.options?.changes.responderDied(new BellhopError("WorkerFailed", "the responder thread ended"));
  await fixture.clock.advance(2_000);
  await assert.rejects(fixture.running ?? Promise.resolve(), { code: "WorkerFailed" });
});

story("the death of the kernel thread ends the speaker", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  fixture.kernel.options?.changes.kernelDied(new BellhopError("WorkerFailed", "the kernel thread ended"));
  await fixture.clock.advance(2_000);
  await assert.rejects(fixture.running ?? Promise.resolve(), { code: "WorkerFailed" });
});

story("a kernel thread that does not start ends the speaker, and with it the responder", async (fixture) => {
  fixture.kernel.start = () => Promise.reject(new BellhopError("WorkerFailed", "the kernel thread ended"));
  await assert.rejects(fixture.speaker.run(new AbortController().signal), { code: "WorkerFailed" });
  assert.equal(fixture.responder.alive, false);
});

story("a bug while rules are written ends the speaker", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  fixture.nft.run = async () => {
    throw new TypeError("a bug");
  };
  await fixture.claim("192.0.2.201", ["n1"]);
  await fixture.settle();
  await fixture.clock.advance(2_000);
  await assert.rejects(fixture.running ?? Promise.resolve(), TypeError);
});
