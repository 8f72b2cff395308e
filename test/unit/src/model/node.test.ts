import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { projectNode } from "../../../../src/model/node.ts";

describe("the port of a kubelet", () => {
  const cases: readonly { readonly name: string; readonly said: number | undefined; readonly expected: number }[] = [
    { name: "is what the Node says", said: 10_350, expected: 10_350 },
    { name: "is the usual one before the kubelet has started", said: undefined, expected: 10_250 },
    { name: "is the usual one where the kubelet serves nothing", said: 0, expected: 10_250 },
    { name: "is the usual one where the Node says a larger number than ports have", said: 70_000, expected: 10_250 },
    { name: "is the usual one where the Node says a number below 0", said: -1, expected: 10_250 },
  ];
  for (const { name, said, expected } of cases)
    test(name, () => {
      const endpoints = said === undefined ? {} : { daemonEndpoints: { kubeletEndpoint: { Port: said } } };
      assert.equal(projectNode({ status: endpoints }).kubeletPort, expected);
    });
});
