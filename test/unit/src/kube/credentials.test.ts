import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { systemClock } from "../../../../src/clock/clock.ts";
import { FakeClock } from "../../../../src/clock/fake.ts";
import { inClusterCredentials } from "../../../../src/kube/credentials.ts";
import { HttpsClient } from "../../../../src/kube/https-client.ts";
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

test("reads the certificate authority again each minute, and at once after a refused connection", async () => {
  const clock = new FakeClock();
  let ca: string | undefined = "one";
  const read = (path: string): Promise<string> => {
    if (path.endsWith("token")) return Promise.resolve("token");
    return ca === undefined ? Promise.reject(new Error("gone")) : Promise.resolve(ca);
  };
  const credentials = await inClusterCredentials(env, clock, read);
  const first = credentials.tls;
  await clock.advance(60_000);
  await credentials.authorization();
  assert.equal(credentials.tls, first, "the same file is the same identity");
  ca = "two";
  await clock.advance(30_000);
  await credentials.authorization();
  assert.deepEqual(credentials.tls, { ca: "one" });
  credentials.expire?.();
  await credentials.authorization();
  assert.deepEqual(credentials.tls, { ca: "two" });
  ca = undefined;
  await clock.advance(60_000);
  await credentials.authorization();
  assert.deepEqual(credentials.tls, { ca: "two" });
});

describe("the certificate authority of the API server changes", () => {
  const folder = mkdtempSync(join(tmpdir(), "bellhop-ca-"));
  after(() => rmSync(folder, { recursive: true }));
  const certificate = (name: string): { readonly key: string; readonly cert: string } => {
    const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
    const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", key, "-out", cert];
    const names = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"];
    execFileSync("openssl", ["req", "-x509", ...made, ...names], { stdio: "ignore" });
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  };

  test("and a client in a pod continues after one refused connection, and finishes requests in flight", async (t) => {
    const [old, young] = [certificate("old"), certificate("young")];
    let ca = old.cert;
    const answer: RequestListener = (_incoming, outgoing) => outgoing.writeHead(200).end('{"kind":"Status"}');
    const server = createTlsServer(old, answer);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const where = {
      KUBERNETES_SERVICE_HOST: "127.0.0.1",
      KUBERNETES_SERVICE_PORT: String((server.address() as AddressInfo).port),
    };
    const read = (path: string): Promise<string> => Promise.resolve(path.endsWith("ca.crt") ? ca : "token");
    const credentials = await inClusterCredentials(where, new FakeClock(), read);
    const client = new HttpsClient({ credentials, userAgent: "test", clock: systemClock });
    t.after(() => {
      client.close();
      server.closeAllConnections();
      server.close();
    });
    await client.request({ method: "GET", path: "/x" });
    server.setSecureContext(young);
    server.closeAllConnections();
    ca = young.cert;
    await assert.rejects(client.request({ method: "GET", path: "/x" }), { code: "ApiUnreachable" });
    await client.request({ method: "GET", path: "/x" });
  });
});

describe("a kubeconfig", () => {
  const folder = mkdtempSync(join(tmpdir(), "bellhop-kubeconfig-"));
  after(() => rmSync(folder, { recursive: true }));
  let files = 0;
  function write(cluster: object, user: object, context: object = {}): string {
    const file = join(folder, `config${files++}`);
    const clusters = [{ name: "a", cluster: { "insecure-skip-tls-verify": true, ...cluster } }];
    const contexts = [
      { name: "a", context: { cluster: "a", user: "a", ...context } },
      { name: "b", context: { cluster: "a", user: "b" } },
    ];
    const users = [
      { name: "a", user },
      { name: "b", user: { token: "of b" } },
    ];
    writeFileSync(file, JSON.stringify({ clusters, contexts, users, "current-context": "a" }));
    return file;
  }

  /** The headers that an API server sees. */
  async function headersOf(user: object, context?: string): Promise<IncomingHttpHeaders> {
    let seen: IncomingHttpHeaders = {};
    const server = createServer((incoming, answer) => {
      seen = incoming.headersDistinct as unknown as IncomingHttpHeaders;
      answer.end("{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const file = write({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }, user);
    const credentials = await kubeconfigCredentials(new FakeClock(), file, context);
    const client = new HttpsClient({ credentials, userAgent: "test", clock: systemClock });
    await client.request({ method: "GET", path: "/x" });
    client.close();
    server.close();
    return seen;
  }

  test("logs in by user and password", async () => {
    const { authorization } = await headersOf({ username: "me", password: "s3cret:" });
    assert.deepEqual(authorization, [`Basic ${Buffer.from("me:s3cret:").toString("base64")}`]);
  });

  test("speaks for another user, with groups and extra fields", async () => {
    const extra = { "example.com/Reason": ["test", "again"] };
    const headers = await headersOf({
      token: "t",
      as: "jane",
      "as-uid": "7",
      "as-groups": ["devs", "ops"],
      "as-user-extra": extra,
    });
    assert.deepEqual(headers["impersonate-user"], ["jane"]);
    assert.deepEqual(headers["impersonate-uid"], ["7"]);
    assert.deepEqual(headers["impersonate-group"], ["devs", "ops"]);
    assert.deepEqual(headers["impersonate-extra-example.com%2freason"], ["test", "again"]);
  });

  test("is used in the context that is named", async () => {
    assert.deepEqual((await headersOf({ token: "of a" }, "b")).authorization, ["Bearer of b"]);
    assert.deepEqual((await headersOf({ token: "of a" })).authorization, ["Bearer of a"]);
  });

  test("may name a proxy, which every request goes through", async (t) => {
    const server = createServer((_incoming, answer) => answer.end('{"from":"server"}'));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const asked: (string | undefined)[] = [];
    const proxy = createServer().on("connect", (incoming, socket, head) => {
      asked.push(incoming.url);
      const { port } = server.address() as AddressInfo;
      const upstream = connectTcp(port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        upstream.write(head);
        upstream.pipe(socket).pipe(upstream);
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const file = write({ server: "http://api.example.com:6443", "proxy-url": proxyUrl }, {});
    const client = new HttpsClient({
      credentials: await kubeconfigCredentials(new FakeClock(), file),
      userAgent: "test",
      clock: systemClock,
    });
    t.after(() => {
      client.close();
      proxy.closeAllConnections();
      proxy.close();
      server.closeAllConnections();
      server.close();
    });
    assert.deepEqual((await client.request({ method: "GET", path: "/x" })).body, { from: "server" });
    assert.deepEqual(asked, ["api.example.com:6443"]);
  });

  for (const [noProxy, expected] of [
    ["", ["api.example.com:6443"]],
    ["example.com,.example.com", []],
  ] as const) {
    test(`without a proxy of its own follows HTTPS_PROXY, NO_PROXY=${noProxy}`, async (t) => {
      const asked: (string | undefined)[] = [];
      const proxy = createServer().on("connect", (incoming, socket) => {
        asked.push(incoming.url);
        socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      });
      await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
      const before = { ...process.env };
      process.env.HTTPS_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      process.env.NO_PROXY = noProxy;
      const file = write({ server: "https://api.example.com:6443" }, {});
      const credentials = await kubeconfigCredentials(new FakeClock(), file);
      const client = new HttpsClient({ credentials, userAgent: "test", clock: systemClock });
      t.after(() => {
        process.env = before;
        client.close();
        proxy.closeAllConnections();
        proxy.close();
      });
      const unreachable = { code: "ApiUnreachable" };
      await assert.rejects(client.request({ method: "GET", path: "/x", timeoutMs: 2_000 }), unreachable);
      assert.deepEqual(asked, expected);
    });
  }

  test("with a login plugin: its certificate is used until it ends, and then the next one", async () => {
    const plugin = join(folder, "plugin");
    const say = (cert: string, ends: Date): void => {
      const status = { clientCertificateData: cert, clientKeyData: "key", expirationTimestamp: ends.toISOString() };
      writeFileSync(plugin, `#!/bin/sh\necho '${JSON.stringify({ kind: "ExecCredential", status })}'\n`, {
        mode: 0o755,
      });
    };
    const clock = new FakeClock();
    say("one", new Date(Date.now() - 1_000));
    const exec = { apiVersion: "client.authentication.k8s.io/v1", command: plugin };
    const credentials = await kubeconfigCredentials(clock, write({ server: "https://192.0.2.1" }, { exec }));
    assert.equal(credentials.tls.cert, "one");
    say("two", new Date(Date.now() + 3_600_000));
    await credentials.authorization();
    assert.equal(credentials.tls.cert, "one");
    await clock.advance(60_000);
    await credentials.authorization();
    assert.equal(credentials.tls.cert, "two");
    say("three", new Date(Date.now() + 3_600_000));
    await clock.advance(60_000);
    await credentials.authorization();
    assert.equal(credentials.tls.cert, "two");
  });

  test("may name a file with the token, which is read again when it is refused", async () => {
    const tokenFile = join(folder, "token");
    writeFileSync(tokenFile, "one\n");
    const file = write({ server: "https://192.0.2.1" }, { token: "older", tokenFile: "token" });
    const credentials = await kubeconfigCredentials(new FakeClock(), file);
    assert.equal(await credentials.authorization(), "Bearer one");
    writeFileSync(tokenFile, "two");
    assert.equal(await credentials.authorization(), "Bearer one");
    credentials.expire?.();
    assert.equal(await credentials.authorization(), "Bearer two");
    writeFileSync(tokenFile, "");
    credentials.expire?.();
    assert.equal(await credentials.authorization(), "Bearer two", "while the file is being replaced");
    rmSync(tokenFile);
    credentials.expire?.();
    assert.equal(await credentials.authorization(), "Bearer two", "the last one while there is no other");
    await assert.rejects(kubeconfigCredentials(new FakeClock(), file), { code: "ConfigurationInvalid" });
  });

  test("that changes is read again", async () => {
    const clock = new FakeClock();
    const file = write({ server: "https://192.0.2.1" }, { token: "one" });
    const credentials = await kubeconfigCredentials(clock, file);
    assert.equal(await credentials.authorization(), "Bearer one");
    writeFileSync(file, readFileSync(file, "utf8").replace('"token":"one"', '"token":"two"'));
    await clock.advance(60_000);
    assert.equal(await credentials.authorization(), "Bearer two");
    rmSync(file);
    await clock.advance(60_000);
    assert.equal(await credentials.authorization(), "Bearer two");
  });
});
