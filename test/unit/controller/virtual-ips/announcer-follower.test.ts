import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { AnnouncerFollower } from "../../../../controller/virtual-ips/announcer-follower.ts";
import { managedByController, managedByLabel } from "../../../../src/api/labels.ts";
import { type VirtualIP, virtualIpSchema } from "../../../../src/api/virtual-ip.ts";

const name = "192.0.2.7";

describe("which list the next one is made from", () => {
  let views: Map<string, VirtualIP>;
  let follower: AnnouncerFollower;
  beforeEach(() => {
    views = new Map();
    follower = new AnnouncerFollower({ views });
  });

  /** Node n2 announces by this list. */
  function objectOf(generation: number, owners: readonly string[], uid = "u1"): VirtualIP {
    return virtualIpSchema.parse({
      metadata: { name, uid, generation, labels: { [managedByLabel]: managedByController } },
      spec: { address: name, owners },
      status: { node: "n2", observedGeneration: generation },
    });
  }

  function show(object: VirtualIP): void {
    views.set(name, object);
    follower.observe(object);
  }

  test("the one in the object, from its announcer on, whatever was desired", () => {
    show(objectOf(1, ["n1", "n2", "n3"]));
    assert.deepEqual(follower.presentOwners(name, undefined), ["n2", "n1", "n3"]);
    assert.deepEqual(follower.presentOwners(name, ["n3", "n1", "n2"]), ["n2", "n1", "n3"]);
  });

  test("the desired one after it was written, until the watch shows it", () => {
    show(objectOf(1, ["n1", "n2", "n3"]));
    follower.written(objectOf(2, ["n3", "n2", "n1"]), undefined);
    assert.deepEqual(follower.presentOwners(name, ["n3", "n2", "n1"]), ["n3", "n2", "n1"]);
    show(objectOf(2, ["n3", "n2", "n1"]));
    assert.deepEqual(follower.presentOwners(name, ["n3", "n2", "n1"]), ["n2", "n3", "n1"]);
  });

  test("the one in the object where the watch has shown the write before its answer came", () => {
    show(objectOf(2, ["n3", "n2", "n1"]));
    follower.written(objectOf(2, ["n3", "n2", "n1"]), undefined);
    assert.deepEqual(follower.presentOwners(name, ["n3", "n2", "n1"]), ["n2", "n3", "n1"]);
  });

  test("the one in the object where that was deleted and created again, so that its terms begin again", () => {
    show(objectOf(8, ["n1", "n2"]));
    follower.written(objectOf(9, ["n2", "n1"]), undefined);
    show(objectOf(1, ["n1", "n2"], "u2"));
    assert.deepEqual(follower.presentOwners(name, ["n1", "n2"]), ["n2", "n1"]);
  });

  test("nothing is kept of an address that is forgotten", () => {
    show(objectOf(1, ["n1", "n2"]));
    follower.written(objectOf(2, ["n1", "n2"]), { to: "n1", preferred: new Set(["n1"]) });
    assert.deepEqual(follower.withDeclined(name, new Set(["n1"]), "n2"), new Set(["n1", "n2"]));
    follower.forget(name);
    assert.deepEqual(follower.withDeclined(name, new Set(["n1"]), "n2"), new Set(["n1"]));
    assert.deepEqual(follower.presentOwners(name, ["n1", "n2"]), ["n2", "n1"]);
  });
});
