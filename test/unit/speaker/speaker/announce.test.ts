import assert from "node:assert/strict";
import { ownPath } from "../../../../src/kube/path.ts";
import { interfaceData } from "../../../../src/nft/data.ts";
import { link } from "../speaker-fixture.ts";
import { story } from "./story.ts";

story(
  "an address that is ours gets its rules first and is announced then, on the interface of its LAN alone",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.start();
    assert.deepEqual(fixture.journal, ["rules ip", "rules ip6", "holding 192.0.2.200"]);
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
    assert.deepEqual(fixture.speaker.unready, []);
    assert.deepEqual(
      [...(fixture.nft.table("ip", "bellhop")?.sets.get("lan_interfaces")?.elements.keys() ?? [])],
      [interfaceData("eth0")],
    );
  },
);

story("an address of another node gets its rules and is not announced", async (fixture) => {
  await fixture.populate("n2");
  await fixture.start();
  assert.equal(fixture.nft.table("ip", "bellhop")?.sets.get("dnat_services")?.elements.size, 1);
  assert.deepEqual(fixture.responder.announced, []);
  assert.deepEqual((await fixture.virtualIp()).status ?? {}, {});
});

story(
  "an interface that goes down withdraws its addresses, and announces them again when it is up",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.start();
    fixture.links = [link("eth0", "192.0.2.11/24", { up: false })];
    await fixture.clock.advance(2_000);
    await fixture.settle();
    assert.deepEqual(fixture.responder.announced, []);
    fixture.links = [link("eth0", "192.0.2.11/24")];
    await fixture.clock.advance(2_000);
    await fixture.settle();
    assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
  },
);

story("a changed interface is noticed when the kernel reports it, and not at the next tick", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0"]);
  fixture.links = [];
  fixture.kernel.options?.changes.networkChanged();
  await fixture.settle();
  assert.deepEqual(fixture.responder.announced, []);
});

story("an interface that the responder has given up is set again, with all of its addresses", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  fixture.responder.fail("eth0");
  await fixture.settle();
  assert.deepEqual(fixture.responder.announced, []);
  await fixture.claim("192.0.2.201", ["n1"]);
  await fixture.settle();
  assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0", "192.0.2.201 eth0"]);
  fixture.responder.fail("eth0");
  await fixture.settle();
  await fixture.clock.advance(2_000);
  await fixture.settle();
  assert.deepEqual(fixture.responder.announced, ["192.0.2.200 eth0", "192.0.2.201 eth0"]);
});

story(
  "an address whose VirtualIP a newer version has made unreadable stays, and goes when that is deleted",
  async (fixture) => {
    await fixture.populate("n1");
    await fixture.start();
    const addresses = () => fixture.nft.table("ip", "bellhop")?.sets.get("service_addresses")?.elements.size;
    await fixture.patch(ownPath("virtualips", "192.0.2.200"), { spec: { services: "of a later version" } });
    await fixture.settle();
    await fixture.clock.advance(4_000);
    assert.deepEqual([fixture.responder.announced, addresses()], [["192.0.2.200 eth0"], 1]);
    await fixture.api.request({ method: "DELETE", path: ownPath("virtualips", "192.0.2.200") });
    await fixture.settle();
    assert.deepEqual([fixture.responder.announced, addresses()], [[], 0]);
  },
);

story("a Service that is deleted leaves no rules, and its address is withdrawn", async (fixture) => {
  await fixture.populate("n1");
  await fixture.start();
  await fixture.api.request({ method: "DELETE", path: "/api/v1/namespaces/default/services/web" });
  await fixture.settle();
  assert.equal(fixture.nft.table("ip", "bellhop")?.sets.get("dnat_services")?.elements.size, 0);
  await fixture.api.request({ method: "DELETE", path: ownPath("virtualips", "192.0.2.200") });
  await fixture.settle();
  assert.deepEqual(fixture.responder.announced, []);
  assert.equal(fixture.nft.table("ip", "bellhop")?.sets.get("service_addresses")?.elements.size, 0);
});
