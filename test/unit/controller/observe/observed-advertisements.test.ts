import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ObservedAdvertisements } from "../../../../controller/observe/observed-advertisements.ts";
import { InvalidObject } from "../../../../src/kube/view-store.ts";
import { refusedAdvertisementCases } from "./refused-advertisement-cases.ts";

describe("advertisements that cannot be used", () => {
  for (const { name, project, metadata, spec, code, says } of refusedAdvertisementCases) {
    test(`${name}: ${code}`, () => {
      const raw = { metadata: { uid: "u", resourceVersion: "1", ...metadata }, spec };
      const invalid = project(raw);
      assert.ok(invalid instanceof InvalidObject);
      const advertisements = new ObservedAdvertisements();
      advertisements.reject("key", invalid, raw);
      const [refused] = advertisements.refused(new Map());
      assert.equal(refused?.reason.code, code);
      assert.match(refused?.reason.message ?? "", says);
      const group = metadata.namespace === undefined ? "bellhop.dev/v1beta1" : "metallb.io/v1beta1";
      const { apiVersion, namespace, name: subject } = refused?.subject ?? {};
      assert.deepEqual([apiVersion, namespace, subject], [group, metadata.namespace, "lan"]);
      const besideOurs = advertisements.refused(new Map([["lan", {}]]));
      assert.equal(besideOurs.length, metadata.namespace === undefined ? 1 : 0, "one of ours takes precedence");
      advertisements.reject("key", undefined, undefined);
      assert.deepEqual(advertisements.refused(new Map()), []);
    });
  }
});
