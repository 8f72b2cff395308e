import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Announcer } from "../../../../speaker/announce/announcer.ts";
import type { Link } from "../../../../speaker/links/link.ts";
import type { Fact } from "../../../../speaker/membership/effects.ts";
import type { ResponderCommand } from "../../../../speaker/responder/commands.ts";
import type { Stake } from "../../../../speaker/responder/stake.ts";
import { type VirtualIP, virtualIpSchema } from "../../../../src/api/virtual-ip.ts";
import { FakeClock } from "../../../../src/clock/fake.ts";
import { formatAddress, type IpAddress } from "../../../../src/ip/address.ts";
import { subnetOf } from "../../../../src/ip/range.ts";
import { silentLogger } from "../../../../src/log/log.ts";
import { FirstOwner } from "../responder/first-owner.ts";

/** Carries out the commands as the thread does, and may give up an interface. */
class ModelResponder {
  readonly #decision = new FirstOwner("n1");
  /** By interface: its hardware address; undefined: given up. */
  readonly interfaces = new Map<string, string | undefined>();
  readonly stakes = new Map<string, Stake>();
  readonly announced = new Set<string>();
  readonly #tell: (facts: readonly Fact[]) => void;

  constructor(tell: (facts: readonly Fact[]) => void) {
    this.#tell = tell;
  }

  fail(interfaceName: string): void {
    if (this.interfaces.has(interfaceName)) this.interfaces.set(interfaceName, undefined);
  }

  send(command: ResponderCommand): void {
    if (command.kind === "removeInterface") {
      assert.ok(this.interfaces.delete(command.name), "only interfaces that are set are removed");
      for (const { interfaces } of this.stakes.values()) assert.ok(!interfaces.includes(command.name));
    }
    if (command.kind === "setInterface") this.interfaces.set(command.name, `${command.index} ${command.mac.join(":")}`);
    if (command.kind === "setStake") {
      for (const name of command.stake.interfaces)
        assert.ok(this.interfaces.has(name), "its interfaces are set before");
      this.stakes.set(command.stake.address, command.stake);
      this.#decision.setStake(command.stake);
    }
    if (command.kind === "removeStake") {
      assert.ok(this.stakes.delete(command.address), "only stakes that are set are removed");
      this.#decision.removeStake(command.address);
    }
    const facts = this.#decision.take().flatMap((effect) => {
      if (effect.kind === "announce") this.announced.add(effect.address);
      if (effect.kind === "withdraw") this.announced.delete(effect.address);
      return effect.kind === "fact" ? [effect.fact] : [];
    });
    if (facts.length > 0) this.#tell(facts);
  }
}

class Node {
  readonly responder: ModelResponder = new ModelResponder((facts) => {
    for (const fact of facts)
      if (fact.kind === "holding" || fact.kind === "released") this.announcer.holdingChanged(fact);
  });
  readonly groups = new Set<string>();
  readonly announcer: Announcer = new Announcer({
    node: "n1",
    responder: this.responder,
    openGroupSocket: async () => ({
      join: (group, name) => {
        assert.ok(!this.groups.has(`${group} ${name}`), "the kernel refuses to join twice");
        this.groups.add(`${group} ${name}`);
      },
      leave: (group, name) => void this.groups.delete(`${group} ${name}`),
      close: () => undefined,
    }),
    nodeOfMac: () => undefined,
    changes: {
      announcementChanged: () => undefined,
      announcementBegun: () => undefined,
      stakesChanged: () => undefined,
      stakeAdded: () => undefined,
      stakeRemoved: () => undefined,
    },
    clock: new FakeClock(),
    log: silentLogger,
  });

  /** The addresses that the thread answers for, as text. */
  get announced(): readonly string[] {
    return [...this.responder.announced];
  }

  fail(interfaceName: string): void {
    this.responder.fail(interfaceName);
    this.announcer.interfaceFailed(interfaceName);
  }

  async facts(): Promise<unknown> {
    await new Promise((resolve) => setImmediate(resolve));
    return {
      interfaces: this.responder.interfaces,
      stakes: this.responder.stakes,
      announced: this.responder.announced,
      groups: [...this.groups].sort(),
      // Why it began to announce depends on what was before.
      announcements: [...names].map((name) => ({ ...this.announcer.announcement(name), cause: undefined })),
      addresses: [...this.announcer.addresses].sort(),
      ipv4: this.announcer.announcingIPv4,
      lans: this.announcer.lanInterfaces,
    };
  }
}

const names = ["one", "same-as-one", "two", "six", "same-group-as-six", "far"] as const;
const addresses: Readonly<Record<(typeof names)[number], string>> = {
  one: "192.0.2.200",
  "same-as-one": "192.0.2.200",
  two: "198.51.100.200",
  six: "2001:db8::16",
  // The last 24 bits make the group.
  "same-group-as-six": "2001:db8::1:0:16",
  far: "203.0.113.1",
};

function virtualIp(name: (typeof names)[number], spec: Readonly<Record<string, unknown>>): VirtualIP {
  return virtualIpSchema.parse({ metadata: { name }, spec: { address: addresses[name], ...spec } });
}

const services = [{ namespace: "default", name: "web" }];
const changed = fc.record({
  kind: fc.constant("virtualIp" as const),
  name: fc.constantFrom(...names),
  spec: fc.option(
    fc.record({
      owners: fc.constantFrom(["n1"], ["n1", "n2"], ["n2", "n1"], []),
      services: fc.constantFrom(services, services, []),
      interfaces: fc.constantFrom([], [], ["eth1"], ["eth*"]),
    }),
    { nil: undefined },
  ),
});
const link = (name: string, ...cidrs: readonly string[]) =>
  fc.record({ index: fc.constantFrom(2, 3), mac: fc.constantFrom("02:00:00:00:00:01", "02:00:00:00:00:02") }).map(
    ({ index, mac }): Link => ({
      name,
      index,
      mac,
      up: true,
      addresses: cidrs,
      subnets: cidrs.flatMap((cidr) => subnetOf(cidr) ?? []),
    }),
  );
const links = fc
  .tuple(
    link("eth0", "192.0.2.11/24", "2001:db8::11/64"),
    link("eth1", "198.51.100.11/24", "192.0.2.12/24", "2001:db8::12/64"),
  )
  .chain((both) => fc.subarray(both));
const step = fc.oneof(
  { weight: 6, arbitrary: changed },
  { weight: 3, arbitrary: fc.constant({ kind: "pass" as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("rules" as const),
      of: fc.subarray([...new Set(Object.values(addresses))]),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("links" as const), links }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("fail" as const), name: fc.constantFrom("eth0", "eth1") }) },
);

test("what is announced change by change is what is announced when everything is planned again", async () => {
  await fc.assert(
    fc.asyncProperty(links, fc.array(step, { maxLength: 40 }), async (first, steps) => {
      const views = new Map<string, VirtualIP>();
      let now: readonly Link[] = first;
      const node = new Node();
      node.announcer.planAll(views, now);
      let applied = new Set<string>();
      const hasRules = (address: IpAddress): boolean => applied.has(formatAddress(address));
      const pass = (): void => {
        const before = new Set(node.announced);
        node.announcer.apply(hasRules);
        for (const text of node.announced)
          assert.ok(before.has(text) || applied.has(text), "nothing new is announced without rules");
      };
      for (const one of steps) {
        if (one.kind === "virtualIp") {
          if (one.spec === undefined) views.delete(one.name);
          else views.set(one.name, virtualIp(one.name, one.spec));
          node.announcer.plan(one.name, views.get(one.name));
        } else if (one.kind === "links") {
          now = one.links;
          node.announcer.planAll(views, now);
        } else if (one.kind === "fail") node.fail(one.name);
        else if (one.kind === "rules") {
          const fresh = one.of.filter((text) => !applied.has(text));
          applied = new Set(one.of);
          if (node.announcer.rulesApplied(fresh)) pass();
        } else pass();
      }
      const missing = Object.values(addresses).filter((text) => !applied.has(text));
      applied = new Set(Object.values(addresses));
      node.announcer.rulesApplied(missing);
      pass();
      assert.equal(node.announcer.incomplete, false);
      const fresh = new Node();
      fresh.announcer.planAll(views, now);
      fresh.announcer.apply(hasRules);
      assert.deepEqual(await node.facts(), await fresh.facts());
    }),
    { numRuns: 300 },
  );
});
