import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { poolMembershipOf } from "../../../controller/allocate/allocations/pool-membership.ts";
import { evaluateAllPools } from "../../../controller/allocate/choose/evaluate-pool.ts";
import { parseClaim } from "../../../controller/allocate/claim/claim.ts";
import { parsePoolManifest } from "../../../controller/explain/pools/manifest.ts";
import { virtualIpSchema } from "../../../src/api/virtual-ip.ts";
import { bannedIn } from "../docs/banned-words.ts";
import { membershipCases } from "./allocate/allocations/pool-membership-cases.ts";
import { allocateCase, allocationsOf, claimOf, serviceOf } from "./allocate/cases/allocation-case.ts";
import { allocationCases } from "./allocate/cases/allocation-cases.ts";
import { evaluateCases } from "./allocate/choose/evaluate-pool-cases.ts";
import { claimCases } from "./allocate/claim/claim-cases.ts";
import { rejectCase, rejectedPoolCases } from "./allocate/pool/rejected-pool-cases.ts";
import { manifestCases } from "./explain/pools/manifest-cases.ts";
import { explainCase, findReasonsCases } from "./explain/service/find-reasons-cases.ts";

/** Every text about a reason that the tables of cases lead to: with every detail that the product adds to it. */
function collectTexts(): readonly string[] {
  const explained = findReasonsCases.map(explainCase);
  const texts = [
    ...Object.values(allocationCases)
      .flat()
      .map((data) => allocateCase(data).reason?.message),
    ...explained.flatMap(({ reasons, remarks, families }) => [
      ...reasons.map(({ message }) => message),
      ...remarks,
      ...families.flatMap(({ pools }) => pools.map(({ reason }) => reason)),
    ]),
    ...membershipCases.map(({ claim, ...data }) => {
      return poolMembershipOf(allocationsOf({ ...data, claims: [claim] }), claimOf(claim)).reason?.message;
    }),
    ...claimCases.map(({ name, address }) => {
      return parseClaim(virtualIpSchema.parse({ metadata: { name }, spec: { address } })).reason?.message;
    }),
    ...rejectedPoolCases.map((data) => rejectCase(data).reason?.message),
    ...manifestCases.flatMap(({ text }) =>
      parsePoolManifest("new.yaml", text).reasons.map(({ reason }) => reason.message),
    ),
    ...evaluateCases.flatMap(({ service, family = "IPv4", ...data }) => {
      const context = { allocations: allocationsOf(data), service: serviceOf(service), namespaceLabels: {} };
      return evaluateAllPools(context, family).map(({ detail }) => detail);
    }),
  ];
  return [...new Set(texts.filter((text) => text !== undefined))].sort();
}

/** Where a sentence begins: with a capital letter, an address or the name of a file. */
const beginning = /^(?:[A-Z]|\d|[0-9a-f]*:|new\.yaml)/;

describe("texts about reasons are whole sentences, with every detail", () => {
  const texts = collectTexts();

  test("there are texts to look at", () => assert.ok(texts.length > 100, String(texts.length)));

  for (const text of texts) {
    test(text.slice(0, 120), () => {
      assert.match(text, /[^.,;:]\.$/);
      assert.doesNotMatch(text, /\.\.|undefined|[{}]| {2}| [.,;]/);
      for (const sentence of text.split(". ")) assert.match(sentence, beginning);
      assert.deepEqual(bannedIn(text), []);
    });
  }
});
