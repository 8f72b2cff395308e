import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { V1Secret } from "@kubernetes/client-node";
import { KeySecretLoop } from "../../../../controller/heartbeat-key/key-secret-loop.ts";
import { planKeySecret, previousKeyMs } from "../../../../controller/heartbeat-key/plan-key-secret.ts";
import { rotateKey } from "../../../../controller/heartbeat-key/rotate-key.ts";
import { renderKeyRotation } from "../../../../src/cli/text/key-rotation.ts";
import { createPalette } from "../../../../src/cli/text/palette.ts";
import { FakeClock, settle } from "../../../../src/clock/fake.ts";
import { ApiError } from "../../../../src/kube/api-error.ts";
import { FakeApiServer } from "../../../../src/kube/fake.ts";
import { secretPath } from "../../../../src/kube/path.ts";
import { silentLogger } from "../../../../src/log/log.ts";

const namespace = "bellhop-system";
const path = secretPath(namespace, "bellhop-heartbeat");
const base64 = (fill: number): string => Buffer.from(new Uint8Array(32).fill(fill)).toString("base64");
const secretWith = (data: Record<string, string>): V1Secret => ({
  metadata: { name: "bellhop-heartbeat", namespace },
  data,
});

describe("what the leader does about the Secret", () => {
  const cases: readonly (readonly [string, V1Secret | undefined, number, string])[] = [
    ["it creates one where there is none", undefined, 0, "create"],
    ["it leaves one key alone", secretWith({ current: base64(1) }), 0, "nothing"],
    [
      "it keeps the former key at first",
      secretWith({ current: base64(2), previous: base64(1) }),
      previousKeyMs - 1,
      "nothing",
    ],
    [
      "it removes the former key later",
      secretWith({ current: base64(2), previous: base64(1) }),
      previousKeyMs,
      "remove previous",
    ],
    ["it does not touch what it cannot read", secretWith({ current: "AAAA" }), previousKeyMs, "invalid"],
    [
      "it does not touch a former key that it cannot read",
      secretWith({ current: base64(1), previous: "AAAA" }),
      previousKeyMs,
      "invalid",
    ],
  ];
  for (const [name, secret, seenMs, kind] of cases)
    test(name, () => assert.equal(planKeySecret(secret, seenMs).kind, kind));

  test("removing the former key leaves the rest as it is", () => {
    const plan = planKeySecret(secretWith({ current: base64(2), previous: base64(1), other: "AAAA" }), previousKeyMs);
    assert.deepEqual(plan.kind === "remove previous" && plan.secret.data, { current: base64(2), other: "AAAA" });
  });
});

let server: FakeApiServer;
let clock: FakeClock;
let loop: KeySecretLoop;
let logged: string[];
let made = 0;

const createKey = (): Uint8Array => new Uint8Array(32).fill(++made);
const read = async (): Promise<Record<string, string> | undefined> =>
  ((await server.request({ method: "GET", path })).body as V1Secret).data;
const rotate = () => rotateKey({ client: server, namespace, createKey });

async function pass(ms: number): Promise<void> {
  await clock.advance(ms);
  await settle();
}

beforeEach(() => {
  made = 0;
  logged = [];
  server = new FakeApiServer();
  clock = new FakeClock();
  const note = (fields: object, text: string): void => void logged.push(`${text} ${JSON.stringify(fields)}`);
  const log = Object.assign(Object.create(silentLogger), { info: note, warn: note, error: note });
  loop = new KeySecretLoop({ client: server, namespace, createKey, clock, log });
});

describe("while it leads, a controller", () => {
  test("creates the Secret once, and again after it was deleted", async () => {
    loop.start();
    await pass(0);
    assert.deepEqual(await read(), { current: base64(1) });
    await pass(300_000);
    assert.deepEqual(await read(), { current: base64(1) });
    await server.request({ method: "DELETE", path });
    await pass(60_000);
    assert.deepEqual(await read(), { current: base64(2) });
    await loop.stop();
    assert.deepEqual(
      logged.filter((line) => line.includes(base64(1)) || line.includes(base64(2))),
      [],
    );
  });

  test("does nothing after its term", async () => {
    loop.start();
    await loop.stop();
    await server.request({ method: "DELETE", path }).catch(() => undefined);
    const before = server.requests.length;
    await pass(300_000);
    assert.equal(server.requests.length, before);
  });

  test("ends a rotation ten minutes after it saw it, also where the leader changed in between", async () => {
    loop.start();
    await pass(0);
    assert.equal((await rotate()).rotated, true);
    assert.deepEqual(await read(), { current: base64(2), previous: base64(1) });
    await pass(5 * 60_000);
    await loop.stop();
    loop.start();
    await pass(9 * 60_000);
    assert.deepEqual(await read(), { current: base64(2), previous: base64(1) });
    await pass(2 * 60_000);
    assert.deepEqual(await read(), { current: base64(2) });
    await loop.stop();
  });

  test("says once what is wrong with a Secret, and leaves it as it is", async () => {
    await server.request({ method: "POST", path: secretPath(namespace), body: secretWith({ current: "c2VjcmV0" }) });
    loop.start();
    await pass(300_000);
    assert.deepEqual(await read(), { current: "c2VjcmV0" });
    assert.equal(logged.length, 1);
    assert.match(
      logged[0] ?? "",
      /Secret bellhop-system\/bellhop-heartbeat: data\.current has 6 bytes.*Delete the Secret/,
    );
    assert.doesNotMatch(logged[0] ?? "", /c2VjcmV0|secret"/);
    await loop.stop();
  });

  test("tries again after a failure, and says so once", async () => {
    server.intercept = () => {
      throw new ApiError(403, "Forbidden", "secrets is forbidden");
    };
    loop.start();
    await pass(180_000);
    assert.equal(logged.length, 1);
    server.intercept = undefined;
    await pass(60_000);
    assert.deepEqual(await read(), { current: base64(1) });
    await loop.stop();
  });
});

describe("bellhop rotate-key", () => {
  const textOf = async () => renderKeyRotation(await rotate(), createPalette(false));

  test("refuses while the rotation before is not over, and changes nothing", async () => {
    await server.request({ method: "POST", path: secretPath(namespace), body: secretWith({ current: base64(9) }) });
    assert.match(await textOf(), /^✓ The key in Secret bellhop-system\/bellhop-heartbeat is replaced\. .*10 minutes/);
    const after = await read();
    assert.match(await textOf(), /was not replaced.*The previous rotation is not over/);
    assert.deepEqual(await read(), after);
  });

  test("says what to do without a Secret, and with one that cannot be used", async () => {
    assert.match(await textOf(), /The Secret does not exist\. A running controller creates it/);
    await server.request({ method: "POST", path: secretPath(namespace), body: secretWith({ current: "AAAA" }) });
    assert.match(await textOf(), /data\.current has 3 bytes/);
  });

  test("loses to another client that writes at the same time", async () => {
    await server.request({ method: "POST", path: secretPath(namespace), body: secretWith({ current: base64(9) }) });
    server.intercept = async ({ method }) => {
      if (method !== "PUT") return;
      server.intercept = undefined;
      const body = { metadata: { labels: { changed: "meanwhile" } } };
      await server.request({ method: "PATCH", path, body, contentType: "application/merge-patch+json" });
    };
    assert.match(await textOf(), /Another client changed the Secret/);
    assert.deepEqual(await read(), { current: base64(9) });
  });
});
