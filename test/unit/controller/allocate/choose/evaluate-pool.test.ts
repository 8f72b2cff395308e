import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { evaluateAllPools } from "../../../../../controller/allocate/choose/evaluate-pool.ts";
import { formatAddress } from "../../../../../src/ip/address.ts";
import { allocationsOf, serviceOf } from "../cases/allocation-case.ts";
import { evaluateCases } from "./evaluate-pool-cases.ts";

describe("what each pool answers a Service", () => {
  for (const { name, service, family = "IPv4", answers, ...data } of evaluateCases) {
    test(name, () => {
      const context = { allocations: allocationsOf(data), service: serviceOf(service), namespaceLabels: {} };
      const results = evaluateAllPools(context, family);
      assert.deepEqual(
        results.map(({ pool, address, code }) => `${pool} ${address === undefined ? code : formatAddress(address)}`),
        answers,
      );
    });
  }
});
