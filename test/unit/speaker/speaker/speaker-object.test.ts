import assert from "node:assert/strict";
import type { Speaker } from "../../../../src/api/speaker.ts";
import { leasePath, ownPath } from "../../../../src/kube/path.ts";
import { story } from "./story.ts";

story("the Speaker object lists the node's interfaces and what it announces", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  await fixture.clock.advance(1_000);
  const { status } = await fixture.get<{ status: Record<string, unknown> }>(ownPath("speakers", "n1"));
  assert.deepEqual(status.announcing, ["192.0.2.200"]);
  assert.deepEqual(
    (status.interfaces as { name: string }[]).map(({ name }) => name),
    ["eth0", "eth1"],
  );
  assert.equal(status.kernel, "6.1");
});

story("the Speaker lists the peers that are heard and lost, from the first one on", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  const peers = async () => {
    await fixture.clock.advance(2_000);
    return (await fixture.get<Speaker>(ownPath("speakers", "n1"))).status?.peers;
  };
  assert.equal(await peers(), undefined);
  fixture.responder.options?.changes.hearingChanged({ heard: ["n3", "n2"], lost: ["n4"] });
  const reported = { bootNonce: "nonce", hearing: ["n2", "n3"], lost: ["n4"], frozenNodes: [] };
  assert.deepEqual(await peers(), { ...reported, deadNodes: [] });
  fixture.responder.options?.changes.factsObserved([{ kind: "peerDown", node: "n4", nodeDead: true, frozen: true }]);
  assert.deepEqual(await peers(), { ...reported, deadNodes: ["n4"], frozenNodes: ["n4"] });
  fixture.responder.options?.changes.factsObserved([{ kind: "peerUp", node: "n4" }]);
  assert.deepEqual(await peers(), { ...reported, deadNodes: [] });
  assert.match(await fixture.registry.metrics(), /bellhop_speaker_peers\{state="alive"\} 2/);
});

story("the Speaker says what is wrong with the key of heartbeats", async (fixture) => {
  await fixture.populate("n1");
  const path = "/api/v1/namespaces/bellhop-system/secrets";
  const keyOf = (bytes: number) => Buffer.alloc(bytes, 1).toString("base64");
  const metadata = { name: "bellhop-heartbeat", namespace: "bellhop-system" };
  await fixture.api.request({ method: "POST", path, body: { metadata, data: { current: keyOf(3) } } });
  await fixture.start();
  const reported = async () => {
    await fixture.clock.advance(2_000);
    const { status } = await fixture.get<Speaker>(ownPath("speakers", "n1"));
    const found = status?.conditions?.find(({ type }) => type === "Heartbeats");
    return [found?.status, found?.reason];
  };
  assert.deepEqual(await reported(), ["False", "HeartbeatKeyInvalid"]);
  await fixture.patch(`${path}/bellhop-heartbeat`, { data: { current: keyOf(32) } });
  assert.deepEqual(await reported(), ["True", "KeyUsable"]);
  await fixture.api.request({ method: "DELETE", path: `${path}/bellhop-heartbeat` });
  await fixture.clock.advance(100_000);
  assert.deepEqual(await reported(), ["False", "HeartbeatKeyMissing"]);
});

story(
  "settings of the node that drop packets are reported within ten seconds, and again when they are cured",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.start();
    await fixture.clock.advance(3_000);
    const status = async () => {
      const { status } = await fixture.get<Speaker>(ownPath("speakers", "n1"));
      return {
        cannotServe: status?.interfaces.flatMap(({ name, cannotServe = [] }) => (cannotServe.length > 0 ? [name] : [])),
        faults: status?.conditions?.filter((condition) => condition.status === "False").map(({ reason }) => reason),
      };
    };
    assert.deepEqual(await status(), { cannotServe: [], faults: [] });
    fixture.sysctls.set("/proc/sys/net/ipv4/conf/eth0/forwarding", "0\n");
    await fixture.clock.advance(12_000);
    assert.deepEqual(await status(), { cannotServe: ["eth0"], faults: ["ForwardingDisabled"] });
    assert.match(await fixture.registry.metrics(), /bellhop_speaker_host_faults\{reason="ForwardingDisabled"\} 1/);
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"], "as long as the controller has no better node");
    fixture.sysctls.set("/proc/sys/net/ipv4/conf/eth0/forwarding", "1\n");
    await fixture.clock.advance(12_000);
    assert.deepEqual(await status(), { cannotServe: [], faults: [] });
  },
);

story("after the Node is registered again, the Speaker object and the lease belong to the new one", async (fixture) => {
  type Owned = { readonly metadata: { readonly uid: string; readonly ownerReferences?: readonly { uid: string }[] } };
  const node = () => fixture.get<Owned>("/api/v1/nodes/n1");
  const ownersOf = async (path: string) =>
    (await fixture.get<Owned>(path)).metadata.ownerReferences?.map(({ uid }) => uid);
  const identity = ownPath("speakeridentities", "n1");
  const written = [ownPath("speakers", "n1"), identity, leasePath("bellhop-system", "speaker-n1")];
  await fixture.populate("n1");
  await fixture.start();
  await fixture.clock.advance(3_000);
  const first = (await node()).metadata.uid;
  for (const path of written) assert.deepEqual(await ownersOf(path), [first]);
  await fixture.api.request({ method: "DELETE", path: "/api/v1/nodes/n1" });
  // As the garbage collector does.
  for (const path of written) await fixture.api.request({ method: "DELETE", path });
  await fixture.post("/api/v1/nodes", { metadata: { name: "n1" } });
  await fixture.settle();
  await fixture.clock.advance(3_000);
  const second = (await node()).metadata.uid;
  assert.notEqual(second, first);
  for (const path of written) assert.deepEqual(await ownersOf(path), [second]);
});
