import assert from "node:assert/strict";
import { test } from "node:test";
import type { V1Service } from "@kubernetes/client-node";
import fc from "fast-check";
import { allocate } from "../../../../../controller/allocate/allocate.ts";
import { AddressAllocations } from "../../../../../controller/allocate/allocations/address-allocations.ts";
import { withoutService, withService } from "../../../../../controller/allocate/claim/sharing.ts";
import { choosePools } from "../../../../../controller/allocate/pool/pool-set.ts";
import { ipAddressPoolSchema } from "../../../../../src/api/ip-address-pool.ts";
import { type IpAddress, parseAddress, virtualIpName } from "../../../../../src/ip/address.ts";
import { projectService, type ServiceView } from "../../../../../src/model/service.ts";

const serviceNames = ["a", "b", "c", "d"] as const;
const nodeNames = ["n1", "n2", "n3"] as const;
const poolNames = ["edge", "rest"] as const;

/** The older pool has the nodes with a label, the other one all that are left. */
const pools = [
  { name: "edge", nodeSelectors: [{ matchLabels: { edge: "yes" } }] },
  { name: "rest", nodeSelectors: [] },
].map(({ name, nodeSelectors }) =>
  ipAddressPoolSchema.parse({ metadata: { name }, spec: { nodeAddresses: { nodeSelectors }, autoAssign: false } }),
);

const steps = fc.oneof(
  fc.record({
    kind: fc.constant("service" as const),
    name: fc.constantFrom(...serviceNames),
    pool: fc.constantFrom(...poolNames),
    ports: fc.uniqueArray(fc.constantFrom("80/TCP", "443/UDP", "443/TCP", "22/TCP"), { minLength: 1, maxLength: 3 }),
    local: fc.boolean(),
    dual: fc.boolean(),
    gone: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("node" as const),
    name: fc.constantFrom(...nodeNames),
    edge: fc.boolean(),
    ready: fc.boolean(),
    excluded: fc.boolean(),
    gone: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("endpoints" as const),
    name: fc.constantFrom(...serviceNames),
    nodes: fc.subarray([...nodeNames]),
  }),
);
type Step = typeof steps extends fc.Arbitrary<infer Value> ? Value : never;

function addressesOf(node: string): readonly IpAddress[] {
  const number = node.slice(1);
  return [`192.0.2.${number}`, `2001:db8::${number}`].flatMap((text) => parseAddress(text) ?? []);
}

class Model {
  readonly endpoints = new Map<string, ReadonlySet<string>>();
  readonly allocations = new AddressAllocations({ of: (key) => this.endpoints.get(key) ?? new Set() });
  readonly services = new Map<string, ServiceView>();
  /** The nodes that there are, with what is said of them. */
  readonly nodes = new Map<string, Extract<Step, { kind: "node" }>>();

  constructor() {
    this.allocations.setPools(choosePools(pools));
  }

  /** Takes one step, then works on every Service until nothing changes. */
  apply(step: Step): void {
    const key = `default/${step.name}`;
    if (step.kind === "endpoints") this.endpoints.set(key, new Set(step.nodes));
    else if (step.kind === "node") this.#setNode(step);
    else if (step.gone) {
      this.services.delete(key);
      this.#letGo(key, new Set());
    } else this.services.set(key, viewOf(step));
    for (let turn = 0; turn < 10; turn++) {
      const before = this.text();
      for (const service of this.services.values()) this.#carryOut(service);
      if (this.text() === before) return;
    }
    assert.fail("Services go on changing one another's addresses");
  }

  text(): string {
    const lines = [...this.allocations.claims.values()].map(
      ({ name, services }) => `${name} ${JSON.stringify(services)}`,
    );
    return lines.sort().join("\n");
  }

  #setNode(step: Extract<Step, { kind: "node" }>): void {
    const { name, edge, ready, excluded, gone } = step;
    if (gone) this.nodes.delete(name);
    else this.nodes.set(name, step);
    const labels: Record<string, string> = edge ? { edge: "yes" } : {};
    this.allocations.nodes.setNode(
      name,
      gone ? undefined : { name, labels, ready, excluded, addresses: addressesOf(name) },
    );
  }

  #carryOut(service: ServiceView): void {
    const { assignments } = allocate(this.allocations, service, {});
    for (const { address, pool, node, claim } of assignments) {
      const name = virtualIpName(address);
      const made = claim ?? { name, address, pool, node, services: [], managed: true, uid: name, resourceVersion: "1" };
      this.allocations.put({ ...made, services: withService(made, service) });
    }
    this.#letGo(service.key, new Set(assignments.map(({ address }) => virtualIpName(address))));
  }

  #letGo(key: string, kept: ReadonlySet<string>): void {
    for (const claim of this.allocations.claimsOf(key)) {
      if (kept.has(claim.name)) continue;
      const others = withoutService(claim, key);
      if (others.length === 0) this.allocations.drop(claim.name);
      else this.allocations.put({ ...claim, services: others });
    }
  }
}

function viewOf({ name, pool, ports, local, dual }: Extract<Step, { kind: "service" }>): ServiceView {
  const raw: V1Service = {
    metadata: { namespace: "default", name, uid: name, annotations: { "bellhop.dev/pool": pool } },
    spec: {
      type: "LoadBalancer",
      ipFamilies: dual ? ["IPv4", "IPv6"] : ["IPv4"],
      ipFamilyPolicy: dual ? "RequireDualStack" : "SingleStack",
      ports: ports.map((text) => ({ port: Number.parseInt(text, 10), protocol: text.split("/")[1] ?? "" })),
      externalTrafficPolicy: local ? "Local" : "Cluster",
    },
  };
  return projectService(raw);
}

/** What holds after every step, told from the steps alone. */
function assertLaws(model: Model, step: Step, before: ReadonlyMap<string, ReadonlySet<string>>): void {
  const taken = new Set<string>();
  for (const { node = "", name, services } of model.allocations.claims.values()) {
    const stand = model.nodes.get(node);
    assert.ok(stand !== undefined && !stand.excluded, `${name} is of a node that takes part`);
    for (const reference of services) {
      const service = model.services.get(`default/${reference.name}`);
      assert.ok(service !== undefined, "no claim names who is gone");
      for (const { port, protocol } of service.ports) {
        const place = `${name} ${port}/${protocol}`;
        assert.ok(!taken.has(place), `${place} is taken once`);
        assert.notEqual(port, 22);
        taken.add(place);
      }
    }
  }
  if (step.kind !== "service") return;
  for (const [key, names] of before) {
    if (key === `default/${step.name}`) continue;
    const now = new Set(model.allocations.claimsOf(key).map(({ name }) => name));
    for (const name of names) assert.ok(now.has(name), `${key} loses ${name} by what another Service does`);
  }
}

test("a port of a node's own address belongs to one Service, which never loses it to another", () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 60, size: "max" }), (all) => {
      const model = new Model();
      for (const step of all) {
        const before = new Map(
          [...model.services.keys()].map((key) => [
            key,
            new Set(model.allocations.claimsOf(key).map(({ name }) => name)),
          ]),
        );
        model.apply(step);
        assertLaws(model, step, before);
      }
    }),
    { numRuns: 500 },
  );
});
