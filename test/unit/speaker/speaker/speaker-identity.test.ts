import assert from "node:assert/strict";
import { ApiError } from "../../../../src/kube/api-error.ts";
import { ownPath } from "../../../../src/kube/path.ts";
import { link } from "../speaker-fixture.ts";
import { story } from "./story.ts";

type Identity = { readonly spec: { readonly addresses: readonly string[]; readonly macs: readonly string[] } };
const identityPath = ownPath("speakeridentities", "n1");

story("the SpeakerIdentity is written when it has changed or was deleted, and otherwise not", async (fixture) => {
  const identity = async () => (await fixture.get<Identity>(identityPath)).spec;
  const writes = () => fixture.api.writes.filter(({ path }) => path.startsWith(ownPath("speakeridentities"))).length;
  await fixture.populate("n1");
  await fixture.start();
  await fixture.clock.advance(1_000);
  await fixture.settle();
  assert.deepEqual(await identity(), {
    addresses: ["192.0.2.11"],
    port: 7482,
    macs: ["02:00:00:00:00:01"],
    kubeletPort: 10250,
  });
  const before = writes();
  await fixture.patch("/api/v1/nodes/n1/status", { conditions: [{ type: "Ready", status: "True" }] });
  await fixture.clock.advance(600_000);
  await fixture.settle();
  assert.equal(writes(), before);
  fixture.links = [link("eth0", "192.0.2.11/24"), link("eth1", "198.51.100.11/24", { mac: "02:00:00:00:00:02" })];
  await fixture.clock.advance(3_000);
  await fixture.settle();
  assert.deepEqual((await identity()).macs, ["02:00:00:00:00:01", "02:00:00:00:00:02"]);
  await fixture.patch(identityPath, { spec: { addresses: ["203.0.113.9"] } });
  await fixture.clock.advance(1_000);
  await fixture.settle();
  assert.deepEqual((await identity()).addresses, ["192.0.2.11"]);
  await fixture.api.request({ method: "DELETE", path: identityPath });
  await fixture.settle();
  await fixture.clock.advance(1_000);
  await fixture.settle();
  assert.deepEqual((await identity()).addresses, ["192.0.2.11"]);
});

story("a speaker that finds its SpeakerIdentity as it should be writes nothing", async (fixture) => {
  await fixture.populate("n1");
  const spec = { addresses: ["192.0.2.11"], port: 7482, macs: ["02:00:00:00:00:01"], kubeletPort: 10250 };
  await fixture.post(ownPath("speakeridentities"), { metadata: { name: "n1" }, spec });
  const before = fixture.api.writes.length;
  await fixture.start();
  await fixture.clock.advance(3_000);
  const written = fixture.api.writes.slice(before).map(({ path }) => path);
  assert.deepEqual(
    written.filter((path) => path.startsWith(ownPath("speakeridentities"))),
    [],
  );
});

story("without the kind SpeakerIdentity the speaker announces, and writes it once the kind exists", async (fixture) => {
  let missing = true;
  fixture.api.intercept = ({ path }) => {
    if (missing && path.startsWith(ownPath("speakeridentities"))) throw new ApiError(404, "NotFound", "no such kind");
  };
  await fixture.populate("n1");
  await fixture.start();
  await fixture.clock.advance(1_000);
  assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
  missing = false;
  await fixture.clock.advance(120_000);
  await fixture.settle();
  assert.deepEqual((await fixture.get<Identity>(identityPath)).spec.addresses, ["192.0.2.11"]);
});
