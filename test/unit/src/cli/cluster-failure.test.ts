import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { clusterFailure } from "../../../../src/cli/cluster-failure.ts";
import { describeError } from "../../../../src/cli/run.ts";
import { withCluster } from "../../../../src/cli/with-cluster.ts";
import { BellhopError } from "../../../../src/error/error.ts";
import { ApiError } from "../../../../src/kube/api-error.ts";

const main = fileURLToPath(new URL("../../../../src/cli/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "bellhop-cli-"));
after(() => rmSync(folder, { recursive: true }));

interface Kubeconfig {
  readonly server?: string;
  readonly cluster?: object;
  readonly user?: object;
  readonly current?: string;
}

let files = 0;
function kubeconfig({ server = "https://192.0.2.1", cluster = {}, user = {}, current = "lab" }: Kubeconfig): string {
  const file = join(folder, `config${files++}`);
  const config = {
    clusters: [{ name: "lab", cluster: { server, ...cluster } }],
    users: [{ name: "me", user }],
    contexts: [{ name: "lab", context: { cluster: "lab", user: "me" } }],
    "current-context": current,
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

function text(content: string): string {
  const file = join(folder, `text${files++}`);
  writeFileSync(file, content);
  return file;
}

/** What a verb that asks the cluster ends with. */
async function failureOf(options: Readonly<Record<string, string | undefined>>): Promise<BellhopError> {
  const failure = await withCluster(options, ({ client }) => client.request({ method: "GET", path: "/api" })).catch(
    (error: unknown) => error,
  );
  assert.ok(failure instanceof BellhopError, String(failure));
  return failure;
}

async function listen(t: { after(end: () => void): void }, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

describe("a kubeconfig that cannot be used", () => {
  const cases: readonly (readonly [string, () => Readonly<Record<string, string>>, RegExp])[] = [
    ["is missing", () => ({ kubeconfig: join(folder, "none") }), /there is no kubeconfig .*none.*--kubeconfig FILE/],
    ["is a folder", () => ({ kubeconfig: folder }), /cannot read the kubeconfig/],
    ["is not YAML", () => ({ kubeconfig: text("a: [b") }), /is not valid/],
    ["is empty", () => ({ kubeconfig: text("") }), /is not valid|no current context/],
    ["is a list", () => ({ kubeconfig: text("[1, 2]") }), /is not valid|no current context/],
    ["is a text", () => ({ kubeconfig: text("hello") }), /is not valid/],
    ["has a user of another form", () => ({ kubeconfig: text("users: [{name: a, user: {as: 3}}]") }), /is not valid/],
    [
      "has no current context",
      () => ({ kubeconfig: kubeconfig({ current: "" }) }),
      /no current context.*--context.*lab/,
    ],
    ["has another current context", () => ({ kubeconfig: kubeconfig({ current: "x" }) }), /no context x.*It has lab/],
    ["lacks the context", () => ({ kubeconfig: kubeconfig({}), context: "prod" }), /no context prod\. It has lab\./],
    [
      "has a login plugin that is not installed",
      () => ({ kubeconfig: kubeconfig({ user: { exec: { command: "no-such-plugin", apiVersion: "v1" } } }) }),
      /cannot log in with the kubeconfig/,
    ],
    [
      "has a certificate file that is missing",
      () => ({ kubeconfig: kubeconfig({ user: { "client-certificate": "none.crt", "client-key": "none.key" } }) }),
      /cannot log in with the kubeconfig/,
    ],
  ];
  for (const [name, options, expected] of cases) {
    test(`that ${name} is named, with what to do`, async () => {
      const failure = await failureOf(options());
      assert.equal(failure.code, "ConfigurationInvalid");
      assert.match(failure.message, expected);
      // The list of faults is for readers, not the JSON that zod makes of it.
      assert.doesNotMatch(describeError(failure), /"(code|path)"/);
    });
  }
});

describe("an API server", () => {
  const answers: readonly (readonly [number, RegExp])[] = [
    [401, /does not accept these credentials \(401 Unauthorized\).*log in again/],
    [403, /does not allow this \(403 Forbidden\).*bellhop-explain/],
    [500, /refused the request \(500\): GET \/api: no luck/],
  ];
  for (const [status, expected] of answers) {
    test(`that answers ${status}: the error says what to do`, async (t) => {
      const refuse: RequestListener = (_incoming, answer) => {
        answer.writeHead(status).end(JSON.stringify({ kind: "Status", code: status, message: "no luck" }));
      };
      const server = `http://127.0.0.1:${await listen(t, createServer(refuse))}`;
      const failure = await failureOf({
        kubeconfig: kubeconfig({ server, cluster: { "insecure-skip-tls-verify": true } }),
      });
      assert.match(failure.message, expected);
    });
  }

  test("that answers 403 to a command for administrators: the error names no role that would not help", () => {
    const error = new ApiError(403, "Forbidden", "daemonsets.apps is forbidden");
    const { message } = clusterFailure(error, "https://192.0.2.1", "administrator") as BellhopError;
    assert.match(message, /daemonsets\.apps is forbidden\. This command is for administrators/);
    assert.doesNotMatch(message, /bellhop-explain/);
  });

  test("that does not have Bellhop's kinds: the error says to install it, and not that of another request", () => {
    const ask = (path: string): string => {
      const error = new ApiError(404, "", `GET ${path}: 404 page not found`);
      return (clusterFailure(error, "https://192.0.2.1") as BellhopError).message;
    };
    assert.match(
      ask("/apis/bellhop.dev/v1beta1/ipaddresspools"),
      /does not know the kinds of Bellhop.*Install Bellhop/,
    );
    assert.doesNotMatch(ask("/api/v1/services"), /Install Bellhop/);
  });

  test("that does not exist: the error has its address", async (t) => {
    const server = createServer();
    const port = await listen(t, server);
    await new Promise((resolve) => server.close(resolve));
    const failure = await failureOf({ kubeconfig: kubeconfig({ server: `https://127.0.0.1:${port}` }) });
    assert.match(
      failure.message,
      new RegExp(`https://127.0.0.1:${port} cannot be reached: .*ECONNREFUSED.*Nothing listens there`),
    );
  });

  describe("with a certificate", () => {
    const certificate = (name: string): { readonly key: string; readonly cert: string } => {
      const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
      const made = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-noenc",
        "-keyout",
        key,
        "-out",
        cert,
      ];
      const names = ["-subj", "/CN=lab", "-addext", "subjectAltName=IP:127.0.0.1"];
      execFileSync("openssl", ["req", "-x509", ...made, ...names, "-days", "2"], { stdio: "ignore" });
      return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
    };
    let good: { readonly key: string; readonly cert: string };
    before(() => {
      good = certificate("good");
    });

    test("that is self-signed: the error says so", async (t) => {
      const server = `https://127.0.0.1:${await listen(
        t,
        createTlsServer(good, (_in, answer) => answer.end("{}")),
      )}`;
      const failure = await failureOf({ kubeconfig: kubeconfig({ server }) });
      assert.match(failure.message, /the TLS connection to .* failed: self-signed certificate.*certificate-authority/);
    });

    // No OpenSSL before 3.4 makes a certificate that has expired.
    test("that has expired: the error says so", () => {
      const cause = Object.assign(new Error("certificate has expired"), { code: "CERT_HAS_EXPIRED" });
      const error = new BellhopError("ApiUnreachable", "GET /api: certificate has expired", { cause });
      const failure = clusterFailure(error, "https://192.0.2.1") as BellhopError;
      assert.match(failure.message, /the TLS connection to .* failed: certificate has expired.*Renew the certificate/);
    });
  });
});

test("every verb that asks the cluster ends with exit code 2 and one message without a stack where there is no kubeconfig", async () => {
  const home = join(folder, "home");
  mkdirSync(home, { recursive: true });
  const env = { PATH: process.env.PATH ?? "", HOME: home };
  const pools = text(
    "apiVersion: bellhop.dev/v1beta1\nkind: IPAddressPool\nmetadata: {name: a}\nspec: {addresses: [192.0.2.0/24]}\n",
  );
  const verbs = [
    ["explain", "service", "default/web"],
    ["explain", "address", "192.0.2.1"],
    ["pools", "plan", "-f", pools],
    ["doctor", "192.0.2.1"],
    ["uninstall"],
    ["migrate", "check"],
  ];
  const runs = verbs.map(
    (verb) =>
      new Promise<string>((resolve) => {
        execFile(process.execPath, [main, ...verb], { env }, (error, stdout, stderr) => {
          assert.equal(stdout, "");
          resolve(`${error?.code} ${stderr}`);
        });
      }),
  );
  for (const ended of await Promise.all(runs)) {
    assert.match(
      ended,
      /^2 bellhop: there is no kubeconfig \S+\/home\/\.kube\/config, and this is not a pod\. Name a kubeconfig.*\n$/,
    );
    assert.doesNotMatch(ended, /\n\s+at /);
  }
});
