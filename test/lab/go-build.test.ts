import assert from "node:assert/strict";
import { test } from "node:test";
import { buildHint } from "./go-build.ts";

const cases = [
  [
    'go: k8s.io/api@v0.36.2: Get "https://proxy.golang.org/…": dial tcp: lookup proxy.golang.org: no such host',
    /module proxy/,
  ],
  ['verifying module: Get "https://sum.golang.org/…": net/http: TLS handshake timeout', /module proxy/],
  ["write /tmp/go-build1/b001/_pkg_.a: no space left on device", /disk is full/],
  ["main.go:12:2: undefined: cmd", /^$/],
] as const;

for (const [output, hint] of cases) {
  test(`what Go says has a hint where a machine lacks something: ${output}`, () =>
    assert.match(buildHint(output), hint));
}
