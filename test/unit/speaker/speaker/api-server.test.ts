import assert from "node:assert/strict";
import { BellhopError } from "../../../../src/error/error.ts";
import { leasePath } from "../../../../src/kube/path.ts";
import { story } from "./story.ts";

story("before everything is listed nothing in the kernel is touched", async (fixture) => {
  await fixture.populate("n1");
  fixture.api.intercept = (request) => {
    if (request.path.includes("endpointslices")) throw new BellhopError("ApiUnreachable", "no route");
  };
  await fixture.start();
  assert.deepEqual(fixture.journal, []);
  assert.ok(fixture.speaker.unready.some((fault) => fault.startsWith("slices")));
});

story("no port is refused because its endpoints are not listed yet, or are being listed again", async (fixture) => {
  await fixture.populate("n1");
  fixture.api.intercept = (request) => {
    if (request.path.includes("endpointslices")) throw new BellhopError("ApiUnreachable", "no route");
  };
  await fixture.start();
  fixture.api.intercept = undefined;
  await fixture.clock.advance(60_000);
  await fixture.settle();
  const listings = () =>
    fixture.api.requests.filter(({ path, query }) => path.includes("endpointslices") && query?.watch === undefined);
  const before = listings().length;
  fixture.api.sendError(410, "Expired");
  await fixture.clock.advance(60_000);
  await fixture.settle();
  assert.ok(listings().length > before);
  assert.equal(fixture.nft.table("ip", "bellhop")?.sets.get("proxied_services")?.elements.size, 1);
  const written = fixture.nft.accepted.flatMap(({ commands }) => commands);
  assert.ok(!written.some((command) => command.kind === "addElements" && command.set.name === "no_endpoint_services"));
  await fixture.api.request({
    method: "DELETE",
    path: "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/web-1",
  });
  await fixture.settle();
  assert.equal(fixture.nft.table("ip", "bellhop")?.sets.get("no_endpoint_services")?.elements.size, 1);
});

story("without the API server the node continues, and the lease is tried again", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  const lease = leasePath("bellhop-system", "speaker-n1");
  type Lease = { readonly spec: Readonly<Record<string, unknown>> };
  const before = await fixture.get<Lease>(lease);
  assert.equal(before.spec.holderIdentity, "n1");
  assert.equal(before.spec.leaseDurationSeconds, 6);
  assert.match(String(before.spec.renewTime), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  fixture.api.intercept = () => {
    throw new BellhopError("ApiUnreachable", "no route");
  };
  await fixture.clock.advance(60_000);
  assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
  assert.ok(fixture.responder.beats >= 30);
  fixture.api.intercept = undefined;
  await fixture.clock.advance(3_000);
  assert.notEqual((await fixture.get<Lease>(lease)).spec.renewTime, before.spec.renewTime);
  const text = await fixture.registry.metrics();
  assert.match(text, /bellhop_speaker_lease_renewals_total\{result="failed"\} [1-9]/);
  assert.match(text, /bellhop_speaker_announced_addresses 1\b/);
});
