import assert from "node:assert/strict";
import { release } from "node:os";
import { describe, test } from "node:test";
import { findMissingFeatures } from "../../speaker/dataplane/self-test.ts";
import { Namespace, skipReason } from "./namespace.ts";
import { RemoteKernel } from "./remote-kernel.ts";

describe("the self-test of the speaker", { skip: skipReason() ?? false }, () => {
  test(`finds everything in this kernel, ${release()}`, async () => {
    const namespace = await Namespace.create("self-test");
    const kernel = await RemoteKernel.start(namespace);
    try {
      assert.deepEqual(await findMissingFeatures(kernel), []);
      assert.equal(await namespace.sh("nft list tables"), "", "its table is gone");
    } finally {
      kernel.kill();
      namespace.destroy();
    }
  });
});
