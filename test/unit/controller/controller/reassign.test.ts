import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { useCluster } from "../fake-cluster/use-cluster.ts";

const cluster = useCluster();

function countOf(reasons: readonly string[], reason: string): number {
  return reasons.filter((other) => other === reason).length;
}

describe("bellhop.dev/reassign", () => {
  const reassign = (text: string | null) => ({ metadata: { annotations: { "bellhop.dev/reassign": text } } });

  beforeEach(() => cluster.addPool("lan", ["192.0.2.10-192.0.2.12"]));

  test("moves a Service once per text, with one event, and also out of a pool that drains", async () => {
    const first = await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.changeService("web", reassign("1"));
    await cluster.expectShown("web", ["192.0.2.11"]);
    await cluster.eventually(async () => assert.equal(await cluster.virtualIp("192.0.2.10"), undefined));
    await cluster.idle();
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.11"]);
    assert.equal(countOf(await cluster.eventsOf("web"), "UpdatedLoadBalancer"), 1);
    await first.stop();
    await cluster.start();
    await cluster.idle();
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.11"], "a restart moves nothing");
    await cluster.changeService("web", reassign(null));
    await cluster.changeService("web", reassign("1"));
    await cluster.idle();
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.11"], "the same text has been heeded");
    await cluster.changePool("lan", { state: "Draining" });
    await cluster.addPool("new", ["192.0.2.100"]);
    await cluster.changeService("web", reassign("2"));
    await cluster.expectShown("web", ["192.0.2.100"]);
  });

  test("a Service that is made with it does not move", async () => {
    await cluster.start();
    await cluster.addService("web", {}, { annotations: { "bellhop.dev/reassign": "old" } });
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.idle();
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
  });

  test("without a free address it keeps what it has, says so, and moves when one comes free", async () => {
    await cluster.changePool("lan", { addresses: ["192.0.2.10-192.0.2.11"] });
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectShown("web", ["192.0.2.10"]);
    await cluster.addService("other");
    await cluster.expectShown("other", ["192.0.2.11"]);
    await cluster.changeService("web", reassign("now"));
    await cluster.expectCondition("web", "False PoolExhausted");
    assert.deepEqual(await cluster.shown("web"), ["192.0.2.10"]);
    await cluster.deleteService("other");
    await cluster.expectShown("web", ["192.0.2.11"]);
    await cluster.expectCondition("web", "True AddressAssigned");
  });

  test("of two families the one that can moves, and a preferred second one is not lost", async () => {
    await cluster.addPool("six", ["2001:db8::10"]);
    await cluster.start();
    await cluster.addService("web", { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "PreferDualStack" });
    await cluster.expectShown("web", ["192.0.2.10", "2001:db8::10"]);
    await cluster.changeService("web", reassign("now"));
    await cluster.expectShown("web", ["192.0.2.11", "2001:db8::10"]);
    await cluster.expectCondition("web", "False PoolExhausted");
    await cluster.addPool("more", ["2001:db8::20"]);
    await cluster.expectShown("web", ["192.0.2.11", "2001:db8::20"]);
    await cluster.expectCondition("web", "True AddressAssigned");
  });

  test("of Services that share an address only the one that asks leaves", async () => {
    await cluster.start();
    const annotations = { "bellhop.dev/share": "key" };
    const ports = (port: number) => [{ port, protocol: "TCP", nodePort: 30_000 + port }];
    await cluster.addService("a", { ports: ports(80) }, { annotations });
    await cluster.expectShown("a", ["192.0.2.10"]);
    await cluster.addService("b", { ports: ports(81) }, { annotations });
    await cluster.expectShown("b", ["192.0.2.10"]);
    await cluster.changeService("a", reassign("now"));
    await cluster.expectShown("a", ["192.0.2.11"]);
    await cluster.idle();
    assert.deepEqual(await cluster.shown("b"), ["192.0.2.10"]);
    await cluster.changeService("b", reassign("now"));
    await cluster.expectShown("b", ["192.0.2.11"]);
  });
});
