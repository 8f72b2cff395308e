import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FakeClock } from "../../../../src/clock/fake.ts";
import { inClusterCredentials } from "../../../../src/kube/credentials.ts";
import { kubeconfigCredentials } from "../../../../src/kube/kubeconfig.ts";

const env = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "443" };

test("reads the token again each minute, and keeps the old one while the file cannot be read", async () => {
  const clock = new FakeClock();
  let token: string | undefined = "one\n";
  const read = (path: string): Promise<string> => {
    if (path.endsWith("ca.crt")) return Promise.resolve("CA");
    return token === undefined ? Promise.reject(new Error("gone")) : Promise.resolve(token);
  };
  const credentials = await inClusterCredentials(env, clock, read);
  assert.equal(credentials.server, "https://[fd00::1]:443");
  assert.equal(await credentials.authorization(), "Bearer one");
  token = "two";
  assert.equal(await credentials.authorization(), "Bearer one");
  await clock.advance(60_000);
  assert.equal(await credentials.authorization(), "Bearer two");
  token = undefined;
  await clock.advance(60_000);
  assert.equal(await credentials.authorization(), "Bearer two");
});

test("outside a pod it says so", async () => {
  await assert.rejects(inClusterCredentials({}, new FakeClock()), { code: "ConfigurationInvalid" });
});

for (const hours of [6, -6]) {
  test(`a wall clock that is set by ${hours} h makes no token older or younger`, async () => {
    const clock = new FakeClock();
    let token = "one";
    const read = (path: string): Promise<string> => Promise.resolve(path.endsWith("ca.crt") ? "CA" : token);
    const credentials = await inClusterCredentials(env, clock, read);
    assert.equal(await credentials.authorization(), "Bearer one");
    token = "two";
    clock.stepWall(hours * 3_600_000);
    assert.equal(await credentials.authorization(), "Bearer one");
    await clock.advance(60_000);
    assert.equal(await credentials.authorization(), "Bearer two");
  });
}

test("a kubeconfig that cannot be used is a fault of the configuration, like one that cannot be read", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "bellhop-kubeconfig-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "config");
  const clusters = [{ name: "a", cluster: { server: "http://192.0.2.1" } }];
  const contexts = [{ name: "a", context: { cluster: "a", user: "a" } }];
  writeFileSync(file, JSON.stringify({ clusters, contexts, users: [{ name: "a", user: {} }], "current-context": "a" }));
  await assert.rejects(kubeconfigCredentials(new FakeClock(), file), { code: "ConfigurationInvalid" });
  await assert.rejects(kubeconfigCredentials(new FakeClock(), join(folder, "none")), { code: "ConfigurationInvalid" });
});
