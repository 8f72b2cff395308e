import assert from "node:assert/strict";
import type { Fact } from "../../../../speaker/membership/effects.ts";
import type { Speaker } from "../../../../src/api/speaker.ts";
import { ownPath } from "../../../../src/kube/path.ts";
import { link, type SpeakerFixture } from "../speaker-fixture.ts";
import { story } from "./story.ts";

/** How many ports are rewritten to node ports, and how many endpoints are reached directly, over IPv4. */
function forwardingSizes({ nft }: SpeakerFixture): readonly (number | undefined)[] {
  return ["node_ports", "tcp_endpoints"].map((set) => nft.table("ip", "bellhop")?.sets.get(set)?.elements.size);
}

story(
  "node ports that kube-proxy does not open at the InternalIP are not used, and a condition says so",
  async (fixture) => {
    await fixture.populate("n1");
    fixture.nodePortAddresses = ["198.51.100.0/24"];
    await fixture.start();
    const faults = async () => {
      const { status } = await fixture.get<Speaker>(ownPath("speakers", "n1"));
      const own = status?.conditions?.filter(({ type, status: state }) => type === "NodePorts" && state === "False");
      return own?.map(({ reason }) => reason);
    };
    await fixture.clock.advance(60_000);
    assert.deepEqual(await faults(), [], "no Service depends on it");
    const annotations = { "bellhop.dev/forwarding": "nodeport" };
    await fixture.patch("/api/v1/namespaces/default/services/web", { metadata: { annotations } });
    await fixture.clock.advance(10_000);
    assert.deepEqual(await faults(), ["NodePortsClosed"]);
    assert.deepEqual(forwardingSizes(fixture), [0, 1]);
    fixture.nodePortAddresses = undefined;
    await fixture.clock.advance(60_000);
    assert.deepEqual(await faults(), ["NodePortsClosed"], "kube-proxy restarts");
    fixture.nodePortAddresses = ["primary"];
    await fixture.clock.advance(60_000);
    assert.deepEqual(await faults(), []);
    assert.deepEqual(forwardingSizes(fixture), [1, 0]);
  },
);

story("a speaker that starts never writes node ports that kube-proxy does not open", async (fixture) => {
  await fixture.populate("n1");
  fixture.nodePortAddresses = ["198.51.100.0/24"];
  const annotations = { "bellhop.dev/forwarding": "nodeport" };
  await fixture.patch("/api/v1/namespaces/default/services/web", { metadata: { annotations } });
  await fixture.start();
  assert.deepEqual(forwardingSizes(fixture), [0, 1]);
});

story("node ports are not used at an InternalIP that is on no interface, until one has it", async (fixture) => {
  await fixture.populate("n1");
  const annotations = { "bellhop.dev/forwarding": "nodeport" };
  await fixture.patch("/api/v1/namespaces/default/services/web", { metadata: { annotations } });
  fixture.links = [link("eth0", "192.0.2.12/24")];
  await fixture.start();
  assert.deepEqual(forwardingSizes(fixture), [0, 1]);
  fixture.links = [link("eth0", "192.0.2.11/24")];
  await fixture.clock.advance(3_000);
  assert.deepEqual(forwardingSizes(fixture), [1, 0]);
});

story(
  "endpoints on a node that is dead take no connections, and those on one whose speaker alone is dead do",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.patch("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/web-1", {
      endpoints: [
        { addresses: ["10.244.1.2"], nodeName: "n1", conditions: { ready: true } },
        { addresses: ["10.244.2.2"], nodeName: "n2", conditions: { ready: true } },
      ],
    });
    await fixture.start();
    const endpoints = () => fixture.nft.table("ip", "bellhop")?.sets.get("tcp_endpoints")?.elements.size;
    const observe = async (fact: Fact) => {
      fixture.responder.options?.changes.factsObserved([fact]);
      await fixture.settle();
    };
    await fixture.clock.advance(120_000);
    await fixture.settle();
    assert.equal(endpoints(), 0, "kube-proxy delivers");
    await observe({ kind: "peerDown", node: "n2", nodeDead: false });
    assert.equal(endpoints(), 0);
    await observe({ kind: "peerDown", node: "n2", nodeDead: true });
    assert.equal(endpoints(), 1, "straight to the one that lives");
    await observe({ kind: "peerUp", node: "n2" });
    assert.equal(endpoints(), 2, "until kube-proxy had its time");
  },
);
