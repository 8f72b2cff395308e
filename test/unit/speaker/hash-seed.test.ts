import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultHashSeed, hashSeedOf, readCluster } from "../../../speaker/hash-seed.ts";
import { FakeClock, settle } from "../../../src/clock/fake.ts";
import { BellhopError } from "../../../src/error/error.ts";
import { ApiError } from "../../../src/kube/api-error.ts";
import { FakeApiServer } from "../../../src/kube/fake.ts";
import { silentLogger } from "../../../src/log/log.ts";

const uid = "1d0c1f3e-8a52-4f0e-9d5e-6c7f0f6f0f11";

function start(client: FakeApiServer) {
  const clock = new FakeClock();
  const stopping = new AbortController();
  const options = { client, clock, random: () => 0.5, log: silentLogger };
  return { clock, stopping, seed: readCluster(options, stopping.signal).then((cluster) => cluster?.hashSeed) };
}

async function clusterOf(): Promise<{ readonly server: FakeApiServer; readonly uid: string }> {
  const server = new FakeApiServer();
  const body = { metadata: { name: "kube-system", uid } };
  const created = await server.request({ method: "POST", path: "/api/v1/namespaces", body });
  const { metadata } = created.body as { readonly metadata: { readonly uid: string } };
  return { server, uid: metadata.uid };
}

test("the seed is a hash of the uid of kube-system, the same for every speaker", async () => {
  const cluster = await clusterOf();
  const seeds = await Promise.all([start(cluster.server).seed, start(cluster.server).seed]);
  assert.deepEqual(seeds, Array(2).fill(hashSeedOf(cluster.uid)));
  assert.notEqual(hashSeedOf(uid), hashSeedOf(`${uid}1`));
});

test("an API server that does not answer is asked again", async () => {
  const cluster = await clusterOf();
  let failures = 2;
  cluster.server.intercept = () => {
    failures -= 1;
    if (failures >= 0) throw new BellhopError("ApiUnreachable", "connection refused");
  };
  const { clock, seed } = start(cluster.server);
  for (let round = 0; round < 3; round++) {
    await settle();
    await clock.advance(10_000);
  }
  assert.equal(await seed, hashSeedOf(cluster.uid));
});

test("without the right to read the namespace every speaker uses the same seed", async () => {
  const cluster = await clusterOf();
  cluster.server.intercept = () => {
    throw new ApiError(403, "Forbidden", "namespaces kube-system is forbidden");
  };
  assert.equal(await start(cluster.server).seed, defaultHashSeed);
  assert.equal(await start(new FakeApiServer()).seed, defaultHashSeed);
});

test("a speaker that stops waits no longer", async () => {
  const cluster = await clusterOf();
  cluster.server.intercept = () => {
    throw new BellhopError("ApiUnreachable", "connection refused");
  };
  const { stopping, seed } = start(cluster.server);
  await settle();
  stopping.abort();
  assert.equal(await seed, undefined);
});
