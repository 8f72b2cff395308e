import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Dataplane } from "../../speaker/dataplane/dataplane.ts";
import type { Element, ServicePortKey } from "../../speaker/dataplane/element.ts";
import { createDataplaneMetrics } from "../../speaker/dataplane/metrics.ts";
import { FakeClock } from "../../src/clock/fake.ts";
import { parseAddress } from "../../src/ip/address.ts";
import { silentLogger } from "../../src/log/log.ts";
import { createRegistry } from "../../src/metrics/registry.ts";
import { Namespace, skipReason } from "./namespace.ts";
import { RemoteKernel } from "./remote-kernel.ts";

const settings = { nodeAddresses: { IPv4: "192.0.2.11", IPv6: undefined } };

function portOf(host: number): ServicePortKey {
  const address = parseAddress(`192.0.2.${host}`);
  assert.ok(address !== undefined);
  return { address, protocol: "tcp", port: 80 };
}

/** A Service that the kernel accepts. */
function good(host: number): readonly Element[] {
  const key = portOf(host);
  return [
    { family: "ip", set: "service_addresses", key: { address: key.address } },
    { family: "ip", set: "node_ports", key, value: { nodePort: 30_000 + host } },
  ];
}

/** What the kernel refuses, and whether it names the element. */
const poisons: Readonly<Record<string, (host: number) => readonly Element[]>> = {
  "a range whose end is before its beginning": (host) => [
    ...good(host),
    {
      family: "ip",
      set: "source_ranges",
      key: { ...portOf(host), source: { family: "IPv4", first: 0x0a00_0002n, last: 0x0a00_0001n } },
    },
  ],
  "a choice among no endpoints": (host) => [
    ...good(host),
    { family: "ip", set: "dnat_services", key: portOf(host), value: { by: "flow", count: 0, seed: 1 } },
  ],
};

const skip = skipReason();
describe("rules that the kernel itself refuses", { skip: skip ?? false }, () => {
  let namespace: Namespace;
  let kernel: RemoteKernel;
  before(async () => {
    namespace = await Namespace.create("refused");
    kernel = await RemoteKernel.start(namespace);
  });
  after(() => {
    kernel?.kill();
    namespace?.destroy();
  });

  for (const [words, poison] of Object.entries(poisons)) {
    for (const first of [true, false]) {
      test(`${words} keeps no other Service from being written, ${first ? "at the start" : "later"}`, async () => {
        const clock = new FakeClock();
        const metrics = createDataplaneMetrics(createRegistry());
        const options = { nft: kernel, conntrack: kernel, log: silentLogger, metrics, clock, random: () => 0.5 };
        const dataplane = new Dataplane(options);
        dataplane.setInterfaces(["eth0"]);
        if (!first) await dataplane.apply(settings);
        for (let host = 1; host <= 30; host++)
          dataplane.setService(`default/s${host}`, host === 7 || host === 19 ? poison(host) : good(host));
        const { failures, newAddresses, refusalsChanged } = await dataplane.apply(settings);
        assert.deepEqual(failures, []);
        assert.deepEqual([...refusalsChanged].sort(), ["default/s19", "default/s7"]);
        // The other fault is found by a search, and the kernel says nothing of its place.
        const reason = dataplane.refusalOf("default/s7")?.reason ?? "";
        assert.equal(reason.endsWith(", of port 80/TCP"), words.startsWith("a range"), reason);
        assert.equal(newAddresses.length, 28);
        const listed = await namespace.sh("nft list map ip bellhop node_ports");
        assert.deepEqual([/30028/.test(listed), /30007/.test(listed), /30019/.test(listed)], [true, false, false]);
        dataplane.setService("default/s31", good(31));
        assert.deepEqual((await dataplane.apply(settings)).newAddresses, ["192.0.2.31"]);
        await clock.advance(60_000);
        await dataplane.apply(settings);
        assert.deepEqual([...dataplane.refusedServices].sort(), ["default/s19", "default/s7"], "tried again");
        dataplane.setService("default/s7", good(7));
        const mended = await dataplane.apply(settings);
        assert.deepEqual([mended.newAddresses, mended.refusalsChanged], [["192.0.2.7"], ["default/s7"]]);
        assert.doesNotMatch(await namespace.sh("nft list tables"), /probe/);
      });
    }
  }
});
