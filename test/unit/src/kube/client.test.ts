import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import type { V1Service } from "@kubernetes/client-node";
import { systemClock } from "../../../../src/clock/clock.ts";
import { FakeClock } from "../../../../src/clock/fake.ts";
import {
  ApiError,
  isAlreadyExists,
  isConflict,
  isGone,
  isNotFound,
  isRefused,
} from "../../../../src/kube/api-error.ts";
import { type ApiClient, patchTypes } from "../../../../src/kube/client.ts";
import type { Credentials } from "../../../../src/kube/credentials.ts";
import { FakeApiServer } from "../../../../src/kube/fake.ts";
import { HttpsClient } from "../../../../src/kube/https-client.ts";
import { kubeconfigCredentials } from "../../../../src/kube/kubeconfig.ts";
import { OversizedObject } from "../../../../src/kube/oversized-object.ts";
import { loadBalancerFinalizer } from "../../../../src/model/service.ts";
import { type ServedFake, serveFake } from "./serve-fake.ts";

function credentialsFor(server: string): Credentials {
  return { server, tls: {}, authorization: () => Promise.resolve("Bearer secret") };
}

const configMaps = "/api/v1/namespaces/default/configmaps";

/** What every ApiClient must do. */
function contract(name: string, clientOf: () => ApiClient): void {
  describe(`${name} keeps the rules of the API`, () => {
    test("creates, reads, changes and deletes", async () => {
      const client = clientOf();
      const created = await client.request({ method: "POST", path: configMaps, body: { metadata: { name: "a" } } });
      assert.equal(created.status, 201);
      const { metadata } = created.body as { metadata: { uid: string; resourceVersion: string } };
      await assert.rejects(
        client.request({ method: "POST", path: configMaps, body: { metadata: { name: "a" } } }),
        isAlreadyExists,
      );
      const path = `${configMaps}/a`;
      const patch = { metadata: { resourceVersion: metadata.resourceVersion }, data: { key: "value" } };
      const merge = { method: "PATCH", path, body: patch, contentType: patchTypes.merge } as const;
      assert.deepEqual(((await client.request(merge)).body as { data: unknown }).data, { key: "value" });
      await assert.rejects(client.request(merge), isConflict);
      const stale = { preconditions: { uid: "another" } };
      await assert.rejects(client.request({ method: "DELETE", path, body: stale }), isConflict);
      await client.request({ method: "DELETE", path, body: { preconditions: { uid: metadata.uid } } });
      await assert.rejects(client.request({ method: "GET", path }), isNotFound);
    });

    test("a Service's status: what Bellhop writes there, and what the server does by itself", async () => {
      const client = clientOf();
      const services = "/api/v1/namespaces/default/services";
      const spec = { type: "LoadBalancer", ports: [{ port: 80, protocol: "TCP" }] };
      const body = { metadata: { name: "contract", finalizers: ["example.com/theirs"] }, spec };
      await client.request({ method: "POST", path: services, body });
      const path = `${services}/contract`;
      const condition = (type: string, status: string) => ({
        type,
        status,
        reason: "R",
        message: "",
        lastTransitionTime,
      });
      const lastTransitionTime = "2026-01-01T00:00:00Z";
      const patch = async (subresource: string, change: object, contentType: string): Promise<V1Service> =>
        (await client.request({ method: "PATCH", path: `${path}${subresource}`, body: change, contentType }))
          .body as V1Service;
      const status = (change: object): Promise<V1Service> => patch("/status", change, patchTypes.strategic);
      await status({ status: { conditions: [condition("example.com/Theirs", "True")] } });
      const shown = await status({
        metadata: { finalizers: [loadBalancerFinalizer] },
        status: {
          conditions: [condition("bellhop.dev/AddressReady", "True")],
          loadBalancer: { ingress: [{ ip: "192.0.2.1", ipMode: "VIP", ports: [{ port: 80, protocol: "TCP" }] }] },
        },
      });
      assert.deepEqual(shown.metadata?.finalizers?.sort(), ["example.com/theirs", loadBalancerFinalizer]);
      assert.equal(shown.status?.conditions?.length, 2);
      const left = await patch("", { spec: { type: "ClusterIP" } }, patchTypes.merge);
      assert.equal(left.status?.loadBalancer?.ingress, undefined);
      assert.equal(left.status?.conditions?.length, 2);
      await assert.rejects(
        status({ status: { loadBalancer: { ingress: [{ ip: "192.0.2.1", ipMode: "VIP" }] } } }),
        isRefused,
      );
      const cleaned = await status({
        metadata: { "$deleteFromPrimitiveList/finalizers": [loadBalancerFinalizer] },
        status: { conditions: [{ $patch: "delete", type: "bellhop.dev/AddressReady" }] },
      });
      assert.deepEqual(cleaned.metadata?.finalizers, ["example.com/theirs"]);
      assert.deepEqual(
        cleaned.status?.conditions?.map(({ type }) => type),
        ["example.com/Theirs"],
      );
      await client.request({ method: "DELETE", path });
      const again = (await client.request({ method: "GET", path })).body as V1Service;
      assert.notEqual(again.metadata?.deletionTimestamp, undefined);
      await status({ metadata: { "$deleteFromPrimitiveList/finalizers": ["example.com/theirs"] } });
      await assert.rejects(client.request({ method: "GET", path }), isNotFound);
    });

    test("lists object by object, page by page", async () => {
      const client = clientOf();
      const collection = "/api/v1/namespaces/default/secrets";
      for (const name of ["a", "b", "c"]) {
        await client.request({ method: "POST", path: collection, body: { metadata: { name } } });
      }
      const seen: unknown[] = [];
      const take = (object: unknown): void => {
        seen.push((object as { metadata: { name: string } }).metadata.name);
      };
      const first = await client.list({ path: collection, query: { limit: "2" } }, take);
      assert.notEqual(first.continueToken, "");
      assert.ok(first.bytes > 0);
      const query = { limit: "2", continue: first.continueToken };
      const second = await client.list({ path: collection, query }, take);
      assert.equal(second.continueToken, "");
      assert.match(second.resourceVersion, /^\d+$/);
      assert.deepEqual(seen, ["a", "b", "c"]);
      for (const name of ["a", "b", "c"]) await client.request({ method: "DELETE", path: `${collection}/${name}` });
    });

    test("watches from where the list ended, and ends quietly when told", async () => {
      const client = clientOf();
      const { body } = await client.request({ method: "GET", path: configMaps });
      const { resourceVersion } = (body as { metadata: { resourceVersion: string } }).metadata;
      await client.request({
        method: "POST",
        path: configMaps,
        body: { metadata: { name: "world", annotations: { greeting: "wörld" } } },
      });
      const aborter = new AbortController();
      let opened = 0;
      const seen: string[] = [];
      const query = { watch: "true", resourceVersion };
      const onOpen = (): void => void opened++;
      const options = { silenceMs: 10_000, signal: aborter.signal, onOpen };
      for await (const event of client.watch({ method: "GET", path: configMaps, query }, options)) {
        const { type, object } = event as {
          type: string;
          object: { metadata: { name: string; annotations: Record<string, string> } };
        };
        seen.push(`${type} ${object.metadata.name} ${object.metadata.annotations.greeting}`);
        if (type === "ADDED") await client.request({ method: "DELETE", path: `${configMaps}/${object.metadata.name}` });
        else aborter.abort();
      }
      assert.deepEqual(seen, ["ADDED world wörld", "DELETED world wörld"]);
      assert.equal(opened, 1);
    });
  });
}

const plain = new FakeApiServer();
contract("the fake", () => plain);

describe("over HTTP", () => {
  let served: ServedFake;
  let client: HttpsClient;
  const fake = new FakeApiServer();
  before(async () => {
    served = await serveFake(fake);
    client = new HttpsClient({ credentials: credentialsFor(served.url), userAgent: "test", clock: systemClock });
  });
  after(async () => {
    client.close();
    await served.close();
  });
  contract("the HTTP client", () => client);

  test("reports the wait that the server requested when it is throttled", async () => {
    fake.intercept = () => {
      throw new ApiError(429, "TooManyRequests", "slow down", 3000);
    };
    const failure = await client.request({ method: "GET", path: configMaps }).catch((error: unknown) => error);
    fake.intercept = undefined;
    assert.ok(failure instanceof ApiError);
    assert.deepEqual([failure.status, failure.reason, failure.retryAfterMs], [429, "TooManyRequests", 3000]);
  });

  test("a long list comes compressed, and says what a short one says", async () => {
    const path = "/api/v1/namespaces/default/pods";
    const large = "<ö>".repeat(50_000);
    for (const name of ["a", "b", "c", "d"]) {
      await client.request({ method: "POST", path, body: { metadata: { name, annotations: { large } } } });
    }
    const seen: unknown[] = [];
    const { bytes } = await client.list({ path }, (object) => seen.push(object));
    assert.ok(bytes > 4 * 200_000);
    const { body } = await client.request({ method: "GET", path });
    assert.deepEqual(seen, (body as { items: unknown[] }).items);
  });

  test("a list that is refused, cut or not JSON fails as any request does", async (t) => {
    fake.intercept = () => {
      throw new ApiError(410, "Expired", "too old");
    };
    await assert.rejects(
      client.list({ path: configMaps }, () => {}),
      isGone,
    );
    fake.intercept = undefined;
    for (const [body, headers] of [
      ['{"items":[{"a":1}', {}],
      ["<html>", {}],
      ["not gzip", { "content-encoding": "gzip" }],
    ] as const) {
      const odd = createServer((_incoming, answer) => answer.writeHead(200, headers).end(body));
      await new Promise<void>((resolve) => odd.listen(0, "127.0.0.1", resolve));
      const { port } = odd.address() as AddressInfo;
      const server = `http://127.0.0.1:${port}`;
      const other = new HttpsClient({ credentials: credentialsFor(server), userAgent: "test", clock: systemClock });
      t.after(() => {
        other.close();
        odd.close();
      });
      await assert.rejects(
        other.list({ path: "/x" }, () => {}),
        { code: "ApiUnreachable" },
      );
    }
  });

  test("an object that is too large is named, and stops neither list nor watch", async (t) => {
    const path = "/api/v1/namespaces/default/endpoints";
    const huge = "x".repeat(17 * 1024 * 1024);
    for (const name of ["a", "b"]) await client.request({ method: "POST", path, body: { metadata: { name } } });
    const data = { annotations: { huge } };
    await client.request({ method: "POST", path, body: { metadata: { name: "huge", ...data } } });
    await client.request({ method: "POST", path, body: { metadata: { name: "z" } } });
    const seen: unknown[] = [];
    const { resourceVersion } = await client.list({ path }, (object) => seen.push(nameAndSort(object)));
    assert.deepEqual(seen, ["a", "b", "huge, too large", "z"]);
    assert.equal(resourceVersion, String(fake.newestVersion));
    const aborter = new AbortController();
    t.after(() => aborter.abort());
    const watched: unknown[] = [];
    const query = { watch: "true", resourceVersion: "0" };
    const options = { silenceMs: 10_000, signal: aborter.signal };
    for await (const event of client.watch({ method: "GET", path, query }, options)) {
      const { type, object } = event as { type: string; object: unknown };
      watched.push(`${type} ${nameAndSort(object)}`);
      if (watched.length === 4) break;
    }
    assert.deepEqual(watched, ["ADDED a", "ADDED b", "ADDED huge, too large", "ADDED z"]);
  });

  test("a compacted version is Gone", async () => {
    await client.request({ method: "POST", path: configMaps, body: { metadata: { name: "late" } } });
    fake.compact();
    const query = { watch: "true", resourceVersion: "1" };
    const stream = client.watch(
      { method: "GET", path: configMaps, query },
      { silenceMs: 5_000, signal: neverAborted() },
    );
    await assert.rejects(readAll(stream), isGone);
  });

  test("a connection that is cut is ApiUnreachable", async () => {
    const query = { watch: "true", resourceVersion: "999" };
    const options = { silenceMs: 5_000, signal: neverAborted(), onOpen: () => served.cut() };
    const stream = client.watch({ method: "GET", path: configMaps, query }, options);
    await assert.rejects(readAll(stream), { code: "ApiUnreachable" });
  });
});

// The same rules against a real API server, where one is at hand; it needs no more than the namespace default.
const kubeconfig = process.env.BELLHOP_TEST_KUBECONFIG;
describe("a real API server", { skip: kubeconfig === undefined }, () => {
  let client: HttpsClient;
  before(async () => {
    client = new HttpsClient({
      credentials: await kubeconfigCredentials(systemClock, kubeconfig),
      userAgent: "test",
      clock: systemClock,
    });
  });
  after(() => client.close());
  contract("the HTTP client", () => client);
});

test("a server that says nothing is given up: request and watch", async () => {
  const mute = createServer(() => {});
  await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
  const { port } = mute.address() as AddressInfo;
  const client = new HttpsClient({
    credentials: credentialsFor(`http://127.0.0.1:${port}`),
    userAgent: "test",
    clock: systemClock,
  });
  await assert.rejects(
    client.request({ method: "GET", path: "/x", timeoutMs: 30 }),
    /no complete response within 30 ms/,
  );
  const stream = client.watch({ method: "GET", path: "/x" }, { silenceMs: 30, signal: neverAborted() });
  await assert.rejects(readAll(stream), /no data for 30 ms/);
  client.close();
  mute.closeAllConnections();
  mute.close();
});

test("a request on a kept connection that is not answered in time is not sent again: its limit is for all of it", async (t) => {
  let asked = 0;
  const muteAfterOne = createServer((_incoming, answer) => {
    asked++;
    if (asked === 1) answer.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  await new Promise<void>((resolve) => muteAfterOne.listen(0, "127.0.0.1", resolve));
  const { port } = muteAfterOne.address() as AddressInfo;
  const client = new HttpsClient({
    credentials: credentialsFor(`http://127.0.0.1:${port}`),
    userAgent: "test",
    clock: systemClock,
  });
  t.after(() => {
    client.close();
    muteAfterOne.closeAllConnections();
    muteAfterOne.close();
  });
  await client.request({ method: "GET", path: "/x" });
  await assert.rejects(
    client.request({ method: "GET", path: "/x", timeoutMs: 100 }),
    /no complete response within 100 ms/,
  );
  assert.equal(asked, 2);
});

function nameAndSort(object: unknown): string {
  const { name } = (object as { metadata: { name: string } }).metadata;
  return object instanceof OversizedObject ? `${name}, too large` : name;
}

function neverAborted(): AbortSignal {
  return new AbortController().signal;
}

async function readAll(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _event of stream);
}

test("the time until an answer is that of the clock it was given", async (t) => {
  const clock = new FakeClock();
  const slow = createServer(async (_incoming, answer) => {
    await clock.advance(250);
    answer.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", resolve));
  const { port } = slow.address() as AddressInfo;
  const seen: unknown[] = [];
  const client = new HttpsClient({
    credentials: credentialsFor(`http://127.0.0.1:${port}`),
    userAgent: "test",
    clock,
    observe: (...answer) => seen.push(answer),
  });
  t.after(() => {
    client.close();
    slow.close();
  });
  await client.request({ method: "GET", path: "/x" });
  assert.deepEqual(seen, [["GET", 200, 0.25]]);
  assert.equal(clock.waiting, 0, "no timer is left");
});
