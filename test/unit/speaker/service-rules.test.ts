import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ServiceRulesOptions } from "../../../speaker/service-rules.ts";
import { formatAddress } from "../../../src/ip/address.ts";
import { createLogger } from "../../../src/log/log.ts";
import { invalidSettings } from "../../../src/model/invalid-settings.ts";
import { projectNode } from "../../../src/model/node.ts";
import { reasonMessage } from "../../../src/model/reason.ts";
import { endpoint, FakeNode, port, service, slice, vip } from "./dataplane/fake-node.ts";
import { createServiceRules } from "./service-rules-fixture.ts";

/** The rules of Services on a node with a clock. */
function createRules(
  options: Partial<Pick<ServiceRulesOptions, "changes" | "log" | "mayDropForwarded" | "random">> = {},
) {
  const { clock, nft, dataplane, conntrack } = new FakeNode();
  return { clock, nft, dataplane, conntrack, ...createServiceRules({ dataplane, clock, ...options }) };
}

test("settings that cannot be read are logged once, with the code that the user gets", () => {
  const lines: { readonly msg: string; readonly service: string; readonly reason: string }[] = [];
  const log = createLogger("warn", "test", { write: (line) => void lines.push(JSON.parse(line)) });
  const { services, rules, assign } = createRules({ log });
  const see = (forwarding: string): void => {
    services.set("default/web", service({ annotations: { "bellhop.dev/forwarding": forwarding } }));
    rules.serviceChanged("default/web");
    rules.render();
  };
  assign(vip, "web");
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

describe("forwarding of a VirtualIP", () => {
  const cases: readonly {
    readonly spec?: string;
    readonly status?: string;
    readonly annotation?: string;
    readonly sets: readonly string[];
  }[] = [
    { sets: ["proxied_services"] },
    { spec: "pods", sets: ["dnat_services"] },
    { status: "pods", sets: ["dnat_services"] },
    { spec: "nodeport", sets: ["node_ports"] },
    { spec: "kube-proxy", status: "pods", sets: ["proxied_services"] },
    { spec: "pods", annotation: "kube-proxy", sets: ["proxied_services"] },
    { spec: "kube-proxy", annotation: "pods", sets: ["dnat_services"] },
    { spec: "of a later version", sets: ["proxied_services"] },
  ];
  const ways = new Set(["proxied_services", "dnat_services", "node_ports"]);
  for (const { sets, annotation, ...forwarding } of cases) {
    test(`${JSON.stringify({ annotation, ...forwarding })} → ${sets}, and a change of it is rendered`, () => {
      const { services, slices, nodes, dataplane, rules, assign, clock } = createRules();
      const rendered: string[][] = [];
      dataplane.setService = (_key, elements) => {
        rendered.push([...new Set(elements.map(({ set }) => set))].filter((set) => ways.has(set)));
      };
      nodes.set("n1", projectNode({ status: { addresses: [{ type: "InternalIP", address: "192.0.2.11" }] } }));
      rules.nodeChanged();
      const annotations = annotation === undefined ? {} : { "bellhop.dev/forwarding": annotation };
      services.set("default/web", service({ ports: [port({ nodePort: 30080 })], annotations }));
      slices.set("default/web-1", slice([endpoint("10.244.1.2", "n1")]));
      rules.sliceChanged("default/web-1");
      assign(vip, "web");
      rules.render();
      clock.stall(120_000);
      assign(vip, "web", forwarding);
      rules.render();
      assert.deepEqual(rendered.at(-1), sets);
    });
  }
});

test("a node that moves to another zone has its rules rendered again, and follows the hints for that zone", () => {
  const { services, slices, nodes, dataplane, rules, assign } = createRules();
  const rendered: string[][] = [];
  dataplane.setService = (_key, elements) => {
    rendered.push(
      elements.flatMap(({ set, value }) =>
        set === "tcp_endpoints" ? value.map(({ address }) => formatAddress(address)) : [],
      ),
    );
  };
  services.set("default/web", service({ ports: [port({ nodePort: 0 })] }));
  const hinted = slice([
    endpoint("10.244.1.2", "n1", { forZones: ["z1"] }),
    endpoint("10.244.2.2", "n2", { forZones: ["z2"] }),
  ]);
  slices.set(hinted.key, hinted);
  const label = (zone: string): boolean => {
    nodes.set("n1", projectNode({ metadata: { name: "n1", labels: { "topology.kubernetes.io/zone": zone } } }));
    return rules.nodeChanged();
  };
  assign(vip, "web");
  rules.sliceChanged(hinted.key);
  for (const zone of ["z1", "z2", "z3"]) {
    assert.equal(label(zone), true);
    assert.equal(label(zone), false);
    rules.render();
  }
  assert.deepEqual(rendered, [["10.244.1.2"], ["10.244.2.2"], ["10.244.1.2", "10.244.2.2"]]);
});

/** Rules of Services a and b with one pod each, on a node with a clock. Counts what is rendered. */
function fixture(change: { readonly affinityTimeoutSeconds?: number; readonly random?: number } = {}) {
  let due = 0;
  const { clock, nft, dataplane, services, slices, rules, assign } = createRules({
    changes: { rulesDue: () => void due++ },
    random: () => change.random ?? 0,
  });
  const rendered: string[] = [];
  const setService = dataplane.setService.bind(dataplane);
  dataplane.setService = (key, elements) => {
    rendered.push(key);
    setService(key, elements);
  };
  const add = (name: string, address: string, uid = "1"): void => {
    const key = `default/${name}`;
    services.set(key, service({ key, name, uid, ...change }));
    slices.set(`${key}-1`, slice([endpoint("10.244.1.2")], { key: `${key}-1`, serviceKey: key }));
    rules.sliceChanged(`${key}-1`);
    assign(address, name);
    rules.serviceChanged(key);
  };
  /** The ports of a set, after what is due was rendered and written. */
  const portsIn = async (set: string): Promise<number> => {
    rules.render();
    await dataplane.apply({ nodeAddresses: rules.node.addresses });
    return nft.table("ip", "bellhop")?.sets.get(set)?.elements.size ?? 0;
  };
  return { clock, rules, services, rendered, add, portsIn, due: () => due };
}

test("a Service is handed to kube-proxy after the delay, by itself and without another one being rendered", async () => {
  const { clock, rendered, add, portsIn, due } = fixture();
  assert.equal(await portsIn("dnat_services"), 0);
  add("a", "192.0.2.200");
  assert.equal(await portsIn("dnat_services"), 1);
  await clock.advance(30_000);
  add("b", "192.0.2.201");
  assert.equal(await portsIn("dnat_services"), 2);
  await clock.advance(30_000);
  assert.equal(due(), 1);
  rendered.length = 0;
  assert.equal(await portsIn("dnat_services"), 1);
  assert.deepEqual(rendered, ["default/a"]);
  assert.equal(await portsIn("proxied_services"), 1);
  await clock.advance(30_000);
  assert.equal(await portsIn("dnat_services"), 0);
  await clock.advance(600_000);
  assert.equal(due(), 2);
});

test("a Service that is gone is due no more, and new when it is created again", async () => {
  const { clock, rules, services, add, portsIn, due } = fixture();
  await portsIn("dnat_services");
  add("a", "192.0.2.200");
  await portsIn("dnat_services");
  services.delete("default/a");
  rules.serviceChanged("default/a");
  assert.equal(await portsIn("dnat_services"), 0);
  await clock.advance(100_000);
  assert.equal(due(), 0);
  add("a", "192.0.2.200", "2");
  assert.equal(await portsIn("dnat_services"), 1);
  rules.stop();
  await clock.advance(100_000);
  assert.equal(due(), 0);
});

test("a Service with session affinity is kube-proxy's at once, and due at no time", async () => {
  const { clock, add, portsIn, due } = fixture({ affinityTimeoutSeconds: 10 });
  await portsIn("dnat_services");
  add("a", "192.0.2.200");
  assert.equal(await portsIn("proxied_services"), 1);
  assert.equal(await portsIn("dnat_services"), 0);
  await clock.advance(100_000);
  assert.equal(due(), 0);
});

test("after a start, when everything looks new, Services are handed over spread over the delay after it", async () => {
  const { clock, add, portsIn, due } = fixture({ random: 0.5 });
  add("a", "192.0.2.200");
  assert.equal(await portsIn("dnat_services"), 1);
  await clock.advance(89_999);
  assert.equal(due(), 0);
  await clock.advance(1);
  assert.equal(await portsIn("dnat_services"), 0);
  add("b", "192.0.2.201");
  await portsIn("dnat_services");
  await clock.advance(60_000);
  assert.equal(await portsIn("dnat_services"), 0);
});

test("where a chain of another program may drop it, nothing is sent straight to pods while kube-proxy is late", () => {
  let dropped = false;
  const { services, slices, dataplane, rules, assign } = createRules({ mayDropForwarded: () => dropped });
  const rendered: string[] = [];
  dataplane.setService = (_key, elements) => {
    rendered.push(elements.some(({ set }) => set === "dnat_services") ? "pods" : "kube-proxy");
  };
  const ready = slice([endpoint("10.244.1.2", "n1")]);
  services.set("default/web", service({ ports: [port({ nodePort: 30080 })] }));
  slices.set(ready.key, ready);
  assign(vip, "web");
  rules.sliceChanged(ready.key);
  rules.render();
  for (dropped of [true, false]) {
    assert.equal(rules.nodeChanged(), true);
    assert.equal(rules.nodeChanged(), false);
    rules.render();
  }
  assert.deepEqual(rendered, ["pods", "kube-proxy", "pods"]);
});

test("the death of a node renders the Services with endpoints on it, ends connections to these, and nothing else", async () => {
  const { dataplane, conntrack, services, slices, rules, assign, nft } = createRules();
  const rendered: string[] = [];
  const setService = dataplane.setService.bind(dataplane);
  dataplane.setService = (key, elements) => {
    rendered.push(key);
    setService(key, elements);
  };
  for (const [name, address, ...nodes] of [
    ["a", "192.0.2.200", "n1", "n2"],
    ["b", "192.0.2.201", "n1", "n3"],
    ["c", "192.0.2.202", "n2"],
    ["no-address", "", "n2"],
  ] as const) {
    const key = `default/${name}`;
    services.set(key, service({ key, name }));
    const endpoints = nodes.map((node) => endpoint(`10.244.${node.slice(1)}.2`, node));
    slices.set(`${key}-1`, slice(endpoints, { key: `${key}-1`, serviceKey: key }));
    rules.sliceChanged(`${key}-1`);
    if (address !== "") assign(address, name);
    rules.serviceChanged(key);
  }
  const write = async () => {
    rules.render();
    await dataplane.apply({ nodeAddresses: rules.node.addresses });
    return rendered.splice(0).sort();
  };
  await write();
  const flow = (destination: string, replySource: string) => ({
    ...{ destination, destinationPort: 80, replySource, replySourcePort: 8080 },
  });
  const living = [
    flow("192.0.2.200", "10.244.1.2"),
    flow("192.0.2.201", "10.244.3.2"),
    flow("10.96.0.1", "10.244.2.2"),
  ];
  conntrack.flows = [...living, flow("192.0.2.200", "10.244.2.2"), flow("192.0.2.202", "10.244.2.2")];
  assert.equal(rules.setDeadNodes(["n2"]), true);
  assert.equal(rules.setDeadNodes(["n2"]), false);
  assert.equal(conntrack.flows.length, 5, "only once new connections go elsewhere");
  assert.deepEqual(await write(), ["default/a", "default/c"]);
  assert.deepEqual(conntrack.flows, living);
  assert.equal(
    nft.table("ip", "bellhop")?.sets.get("no_endpoint_services")?.elements.size,
    1,
    "c has no pod that lives",
  );
  assert.equal(rules.setDeadNodes(["n2", "n4"]), false, "n4 has no endpoints");
  assert.deepEqual(await write(), []);
  assert.equal(rules.setDeadNodes(["n1"]), true, "n2 and n4 live again, and this node is not dead");
  assert.deepEqual(await write(), ["default/a", "default/c"]);
  assert.equal(rules.setDeadNodes([]), false);
  slices.delete("default/c-1");
  rules.sliceChanged("default/c-1");
  await write();
  rules.setDeadNodes(["n2"]);
  assert.deepEqual(await write(), ["default/a"], "a slice that is gone is forgotten");
});
