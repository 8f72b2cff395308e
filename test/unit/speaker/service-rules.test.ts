import assert from "node:assert/strict";
import { test } from "node:test";
import { Dataplane } from "../../../speaker/dataplane/dataplane.ts";
import { FakeConntrack } from "../../../speaker/dataplane/fake-conntrack.ts";
import { createDataplaneMetrics } from "../../../speaker/dataplane/metrics.ts";
import { ServiceRules } from "../../../speaker/service-rules.ts";
import { virtualIpSchema } from "../../../src/api/virtual-ip.ts";
import { FakeClock } from "../../../src/clock/fake.ts";
import { formatAddress } from "../../../src/ip/address.ts";
import { createLogger, silentLogger } from "../../../src/log/log.ts";
import { createRegistry } from "../../../src/metrics/registry.ts";
import { invalidSettings } from "../../../src/model/invalid-settings.ts";
import { type NodeView, projectNode } from "../../../src/model/node.ts";
import { reasonMessage } from "../../../src/model/reason.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import { FakeNft } from "../../../src/nft/fake-nft.ts";
import { endpoint, port, service, slice, vip } from "./dataplane/fake-node.ts";

test("settings that cannot be read are logged once, with the code that the user gets", () => {
  const services = new Map<string, ServiceView>();
  const references = [{ namespace: "default", name: "web" }];
  const virtualIp = virtualIpSchema.parse({ metadata: { name: vip }, spec: { address: vip, services: references } });
  const watched = {
    services: { views: services },
    slices: { views: new Map() },
    virtualIps: { views: new Map([[vip, virtualIp]]) },
    nodes: { views: new Map() },
  };
  const lines: { readonly msg: string; readonly service: string; readonly reason: string }[] = [];
  const rules = new ServiceRules({
    node: "n1",
    answersPing: true,
    watched,
    dataplane: new Dataplane({
      nft: new FakeNft(),
      conntrack: new FakeConntrack(),
      log: silentLogger,
      metrics: createDataplaneMetrics(createRegistry()),
      clock: new FakeClock(),
      random: () => 0.5,
    }),
    isOnNode: () => true,
    clock: new FakeClock(),
    log: createLogger("warn", "test", { write: (line) => void lines.push(JSON.parse(line)) }),
  });
  const see = (forwarding: string): void => {
    services.set("default/web", service({ annotations: { "bellhop.dev/forwarding": forwarding } }));
    rules.serviceChanged("default/web");
    rules.render();
  };
  rules.virtualIpChanged(vip);
  see("magic");
  see("magic");
  assert.deepEqual(
    lines.map(({ service: key, reason }) => `${key} ${reason}`),
    ["default/web ForwardingInvalid"],
  );
  assert.equal(
    lines[0]?.msg,
    invalidSettings(service({ annotations: { "bellhop.dev/forwarding": "magic" } })).map(reasonMessage)[0],
  );
  see("wand");
  assert.equal(lines.length, 2);
  see("pods");
  see("wand");
  assert.equal(lines.length, 3);
});

test("a node that moves to another zone has its rules rendered again, and follows the hints for that zone", () => {
  const nodes = new Map<string, NodeView>();
  const references = [{ namespace: "default", name: "web" }];
  const virtualIp = virtualIpSchema.parse({ metadata: { name: vip }, spec: { address: vip, services: references } });
  const hinted = slice([
    endpoint("10.244.1.2", "n1", { forZones: ["z1"] }),
    endpoint("10.244.2.2", "n2", { forZones: ["z2"] }),
  ]);
  const dataplane = new Dataplane({
    nft: new FakeNft(),
    conntrack: new FakeConntrack(),
    log: silentLogger,
    metrics: createDataplaneMetrics(createRegistry()),
    clock: new FakeClock(),
    random: () => 0.5,
  });
  const rendered: string[][] = [];
  dataplane.setService = (_key, elements) => {
    rendered.push(
      elements.flatMap(({ set, value }) => (set === "tcp_endpoints" ? [formatAddress(value.address)] : [])),
    );
  };
  const rules = new ServiceRules({
    node: "n1",
    answersPing: true,
    watched: {
      services: { views: new Map([["default/web", service({ ports: [port({ nodePort: 0 })] })]]) },
      slices: { views: new Map([[hinted.key, hinted]]) },
      virtualIps: { views: new Map([[vip, virtualIp]]) },
      nodes: { views: nodes },
    },
    dataplane,
    isOnNode: () => true,
    clock: new FakeClock(),
    log: silentLogger,
  });
  const label = (zone: string): boolean => {
    nodes.set("n1", projectNode({ metadata: { name: "n1", labels: { "topology.kubernetes.io/zone": zone } } }));
    return rules.nodeChanged();
  };
  rules.virtualIpChanged(vip);
  rules.sliceChanged(hinted.key);
  for (const zone of ["z1", "z2", "z3"]) {
    assert.equal(label(zone), true);
    assert.equal(label(zone), false);
    rules.render();
  }
  assert.deepEqual(rendered, [["10.244.1.2"], ["10.244.2.2"], ["10.244.1.2", "10.244.2.2"]]);
});
