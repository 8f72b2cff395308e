import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FakeClock } from "../../../../src/clock/fake.ts";
import { BellhopError } from "../../../../src/error/error.ts";
import { ApiError } from "../../../../src/kube/api-error.ts";
import type { ApiClient } from "../../../../src/kube/client.ts";
import { silentLogger } from "../../../../src/log/log.ts";
import { requireKubernetes, versionRefusal } from "../../../../src/program/kubernetes-version.ts";

function info(gitVersion: string) {
  const [, major, minor] = /^v(\d+)\.(\d+\+?)/.exec(gitVersion) ?? [];
  return { major, minor, gitVersion };
}

describe("the version of Kubernetes", () => {
  for (const version of ["v1.31.0", "v1.31+.4-gke.1", "v1.36.2", "v1.100.0", "v2.0.0"]) {
    test(`${version} is new enough`, () => assert.equal(versionRefusal(info(version)), undefined));
  }

  for (const version of ["v1.30.14", "v1.30+.1-eks", "v1.4.0", "v0.31.0"]) {
    test(`${version} is too old, which names both versions`, () => {
      const refusal = versionRefusal(info(version)) ?? "";
      assert.match(refusal, /needs 1\.31 or newer/);
      assert.ok(refusal.includes(version));
    });
  }

  for (const answer of [undefined, {}, { major: "", minor: "" }, "text"]) {
    test(`an answer without a version (${JSON.stringify(answer)}) refuses nothing`, () =>
      assert.equal(versionRefusal(answer), undefined));
  }
});

describe("the check of the version", () => {
  /** Answers one after the other; the last one again and again. */
  function clientThat(...answers: readonly unknown[]): ApiClient & { asked: number } {
    return {
      asked: 0,
      async request() {
        const answer = answers[Math.min(this.asked++, answers.length - 1)];
        if (answer instanceof Error) throw answer;
        return { status: 200, body: answer };
      },
      list: () => assert.fail("no list"),
      watch: () => assert.fail("no watch"),
    };
  }
  const check = (client: ApiClient, signal = new AbortController().signal, clock = new FakeClock()) =>
    requireKubernetes({ client, clock, random: () => 0.5, log: silentLogger }, signal);

  test("passes where Kubernetes is new enough", () => check(clientThat(info("v1.36.2"))));

  test("fails where it is too old", () =>
    assert.rejects(check(clientThat(info("v1.30.0"))), { code: "ConfigurationInvalid", message: /v1\.30\.0/ }));

  for (const status of [401, 403, 404]) {
    test(`passes where the API server does not tell (${status})`, () =>
      check(clientThat(new ApiError(status, "", "no"))));
  }

  test("asks again until there is an answer", async () => {
    const clock = new FakeClock();
    const client = clientThat(
      new BellhopError("ApiUnreachable", "away"),
      new ApiError(500, "", "broken"),
      info("v1.30.0"),
    );
    const checking = check(client, undefined, clock);
    const failed = assert.rejects(checking, { code: "ConfigurationInvalid" });
    await clock.advance(60_000);
    await failed;
    assert.equal(client.asked, 3);
  });

  test("ends with the program, while there is no answer", async () => {
    const [clock, ending] = [new FakeClock(), new AbortController()];
    const checking = check(clientThat(new BellhopError("ApiUnreachable", "away")), ending.signal, clock);
    await clock.advance(1);
    ending.abort();
    await checking;
    assert.equal(clock.waiting, 0);
  });
});
