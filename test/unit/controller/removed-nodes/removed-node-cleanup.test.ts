import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ownPath } from "../../../../src/kube/path.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster(async (cluster) => {
  for (const name of ["n1", "n2"]) {
    await cluster.addNode(name);
    const body = { metadata: { name }, spec: { port: 7482 } };
    await cluster.server.request({ method: "POST", path: ownPath("speakeridentities"), body });
  }
});

async function names(path: string): Promise<readonly string[]> {
  const { body } = await cluster.server.request({ method: "GET", path });
  const { items } = body as { items: readonly { readonly metadata: { readonly name: string } }[] };
  return items.map(({ metadata }) => metadata.name).sort();
}

const speakers = () => names(ownPath("speakers"));
const identities = () => names(ownPath("speakeridentities"));
const leases = async () =>
  (await names("/apis/coordination.k8s.io/v1/namespaces/bellhop-system/leases")).filter((name) =>
    name.startsWith("speaker-"),
  );

describe("a node that is gone", () => {
  test("takes its Speaker, its SpeakerIdentity and its Lease with it, once its speaker is dead", async () => {
    await cluster.start();
    await cluster.server.request({ method: "DELETE", path: "/api/v1/nodes/n2" });
    await cluster.pass(130_000);
    assert.deepEqual(await speakers(), ["n1", "n2"], "the speaker lives");
    await cluster.silenceNode("n2");
    await cluster.pass(190_000);
    assert.deepEqual([await speakers(), await identities(), await leases()], [["n1"], ["n1"], ["speaker-n1"]]);
  });

  test("loses nothing where only its speaker is dead", async () => {
    await cluster.start();
    await cluster.silenceNode("n2");
    await cluster.pass(190_000);
    assert.deepEqual(
      [await speakers(), await leases()],
      [
        ["n1", "n2"],
        ["speaker-n1", "speaker-n2"],
      ],
    );
  });
});
