import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Dataplane } from "../../speaker/dataplane/dataplane.ts";
import { renderService } from "../../speaker/dataplane/render.ts";
import { parseAddress } from "../../src/ip/address.ts";
import type { NftTransaction } from "../../src/nft/transaction.ts";
import { endpoint, port, service, slice } from "../unit/speaker/dataplane/fake-node.ts";
import { createKernelDataplane } from "./kernel-dataplane.ts";
import { isOlderThan } from "./kernel-version.ts";
import { Namespace, skipReason } from "./namespace.ts";
import { patiently } from "./patience.ts";
import { scriptPath } from "./program.ts";
import { RemoteKernel } from "./remote-kernel.ts";

const skip = skipReason();
describe("the kernel thread", { skip: skip ?? false }, () => {
  let namespace: Namespace;
  let kernel: RemoteKernel;
  let dataplane: Dataplane;
  before(async () => {
    namespace = await Namespace.create("kernel");
    kernel = await RemoteKernel.start(namespace);
    dataplane = createKernelDataplane(kernel);
  });
  after(() => {
    dataplane?.stop();
    kernel?.kill();
    namespace?.destroy();
  });

  /** Writes the rules of a Service with as many endpoints. */
  async function put(endpoints: number): Promise<void> {
    const node = { name: "n1", addresses: { IPv4: "192.0.2.11", IPv6: undefined }, hashSeed: 1 };
    const hosts = Array.from({ length: endpoints }, (_, host) => endpoint(`10.244.1.${host + 1}`));
    const vip = parseAddress("192.0.2.200");
    assert.ok(vip !== undefined);
    const view = service({ ports: [port({ nodePort: 0 })] });
    dataplane.setService("default/web", renderService(view, [slice(hosts)], [vip], node).elements);
    await dataplane.apply({ nodeAddresses: node.addresses });
  }

  /** The first report about a table within two seconds. */
  async function tableEvent(): Promise<string | undefined> {
    for (let attempt = 0; attempt < patiently(100); attempt++) {
      const found = (await kernel.events()).find((event) => event !== "network");
      if (found !== undefined) return found;
      await sleep(20);
    }
    return undefined;
  }

  for (const [name, command, difference] of [
    ["a flushed ruleset", "nft flush ruleset", /the table is gone/],
    ["a deleted table", "nft delete table ip bellhop", /the table is gone/],
    ["a flushed chain", "nft flush chain ip bellhop drop_unhandled", /has 0 rules/],
    ["an added rule", "nft add rule ip bellhop drop_unhandled counter", /rules instead of/],
    [
      "a deleted element",
      "nft flush set ip bellhop lan_interfaces",
      // Linux 6.12 does not count elements, and 6.18 does.
      isOlderThan(6, 18)
        ? /set lan_interfaces has 0 elements instead of 1|another program has written to the table/
        : /set lan_interfaces has 0 elements instead of 1/,
    ],
    [
      "an element in place of another",
      "nft 'delete element ip bellhop lan_interfaces { eth0 }; add element ip bellhop lan_interfaces { eth9 }'",
      /another program has written to the table/,
    ],
    [
      "a rule in place of another",
      `nft "replace rule ip bellhop drop_unhandled handle $(nft -a list chain ip bellhop drop_unhandled | sed -n 's/.*handle //p' | tail -n 1) counter"`,
      /another program has written to the table/,
    ],
    ["an added chain", "nft add chain ip bellhop other", /chains and sets instead of/],
    [
      "a reload of a saved ruleset",
      "(echo flush ruleset; nft -s list ruleset) > /tmp/bellhop-saved && nft -f /tmp/bellhop-saved; rm /tmp/bellhop-saved",
      /the table was deleted and made again/,
    ],
  ] as const) {
    test(`notices ${name} by another program, which a write then repairs`, async () => {
      await put(2);
      await kernel.events();
      await namespace.sh(command);
      assert.match((await tableEvent()) ?? "nothing", difference);
      dataplane.foreignChange("IPv4");
      await put(2);
      assert.match(await namespace.sh("nft list table ip bellhop"), /lan_interfaces/);
    });
  }

  test("a family without addresses has no table, and none is missed", async () => {
    dataplane.invalidate();
    await put(1);
    await kernel.events();
    await namespace.sh("nft add table ip unrelated");
    await sleep(500);
    assert.doesNotMatch(await namespace.sh("nft list tables"), /ip6 bellhop/);
    assert.deepEqual(
      (await kernel.events()).filter((event) => event !== "network"),
      [],
    );
  });

  test("reports neither its own writes nor changes of other tables", async () => {
    for (let count = 0; count < 30; count++) {
      await Promise.all([put((count % 3) + 1), namespace.sh(`nft add table ip other${count}`)]);
    }
    await namespace.sh("nft delete table ip other0");
    await sleep(500);
    assert.deepEqual(
      (await kernel.events()).filter((event) => event !== "network"),
      [],
    );
  });

  test("an error names the command and the place, and leaves everything as it was", async () => {
    const table = { family: "ip", name: "bellhop-test" } as const;
    const transaction: NftTransaction = {
      commands: [
        { table, kind: "addTable" },
        { table, kind: "addRule", chain: "missing", rule: [] },
      ],
    };
    await assert.rejects(kernel.run(transaction), {
      code: "NftFailed",
      message: /command 2, .*missing.*ENOENT at chain/,
    });
    assert.doesNotMatch(await namespace.sh("nft list tables"), /bellhop-test/);
  });

  test("without the capability it does not start, and says which one it needs", async () => {
    const command = `setpriv --bounding-set -net_admin ${process.execPath} ${scriptPath("kernel-process.ts")}`;
    assert.match(await namespace.try(command), /EPERM; the capabilities NET_ADMIN/);
  });

  test("it starts in a network without any route, where the kernel has no routing table", {
    timeout: patiently(30_000),
  }, async () => {
    const bare = await Namespace.create("bare", "down");
    try {
      const started = await RemoteKernel.start(bare);
      assert.deepEqual(await started.gateways(), []);
      started.kill();
    } finally {
      bare.destroy();
    }
  });

  test("a batch that is larger than the default buffer of a socket is written, and changes after it are noticed", async () => {
    const ports = Array.from({ length: 40 }, (_, index) => port({ name: `p${index}`, port: index + 1, nodePort: 0 }));
    const vip = parseAddress("192.0.2.200");
    assert.ok(vip !== undefined);
    const node = { name: "n1", addresses: { IPv4: "192.0.2.11", IPv6: undefined }, hashSeed: 1 };
    const hosts = Array.from({ length: 250 }, (_, host) => endpoint(`10.244.1.${host + 1}`));
    const slices = [slice(hosts, { ports: ports.map(({ name }) => ({ name, protocol: "TCP", port: 8080 })) })];
    dataplane.setService("default/many", renderService(service({ ports }), slices, [vip], node).elements);
    dataplane.invalidate();
    await dataplane.apply({ nodeAddresses: node.addresses });
    const listed = await namespace.sh("nft list map ip bellhop tcp_endpoints");
    assert.ok((listed.match(/: 10\.244\.1\./g) ?? []).length > 9_000);
    await kernel.events();
    // Commits were not listened for during the batch.
    await namespace.sh("nft delete table ip bellhop");
    assert.ok((await tableEvent()) !== undefined);
    dataplane.foreignChange("IPv4");
    dataplane.setService("default/many", []);
    await put(1);
  });

  test("interfaces, addresses and routes are read again when they change", async () => {
    await namespace.sh("ip link add lan0 type bridge; ip link set lan0 up; ip addr add 192.0.2.11/24 dev lan0");
    await namespace.sh("ip route add default via 192.0.2.1");
    await until(async () => (await kernel.interfaces()).includes("lan0"));
    await until(async () => (await kernel.gateways()).includes("192.0.2.1"));
    // The kernel reports no deleted route here.
    await namespace.sh("ip link set lan0 down");
    await until(async () => (await kernel.gateways()).length === 0);
    await namespace.sh("ip link set lan0 name lan1");
    await until(async () => (await kernel.interfaces()).includes("lan1"));
    await namespace.sh("ip link del lan1");
    await until(async () => !(await kernel.interfaces()).includes("lan1"));
  });

  // The Service of the data plane has another one: its own search for stale flows must find nothing of ours.
  const vip = "192.0.2.222";

  test("UDP flows that a rule does not permit are deleted, and all others stay", async () => {
    const flow = (from: string, to: string, pod: string, source: number) =>
      `conntrack -I -p udp -s ${from} -d ${to} --sport ${source} --dport 53 -r ${pod} -q ${from} ` +
      `--reply-port-src 5353 --reply-port-dst ${source} -t 100`;
    const client = "192.0.2.99";
    await namespace.sh(
      [
        flow(client, vip, "10.244.1.2", 1001),
        flow(client, vip, "10.244.1.3", 1002),
        flow(client, "192.0.2.201", "10.244.1.3", 1003),
        flow("2001:db8::99", "2001:db8::200", "fd01::3", 1004),
      ].join("\n"),
    );
    // A flow in a zone, as a container network may have it.
    await namespace.sh(`${flow(client, vip, "10.244.1.9", 1005)} -w 7`);
    const ipv4 = { destination: vip, destinationPort: 53, endpoints: new Set(["10.244.1.2 5353"]) };
    assert.equal(await kernel.deleteStale("IPv4", [ipv4]), 2);
    const ipv6 = { destination: "2001:db8::200", destinationPort: 53, endpoints: new Set<string>() };
    assert.equal(await kernel.deleteStale("IPv6", [ipv6]), 1);
    const left = await namespace.sh("conntrack -L -p udp 2>/dev/null; conntrack -L -f ipv6 -p udp 2>/dev/null");
    // A listing may name a flow twice while flows elsewhere on the machine come and go: they share one hash table.
    const ports = new Set(Array.from(left.matchAll(/^udp .*?sport=(\d+)/gm), ([, source]) => source));
    assert.deepEqual([...ports].toSorted(), ["1001", "1003"]);
  });

  test("among 220,000 UDP flows those that a rule does not permit are deleted, with little memory, and a write does not wait for it", async () => {
    const clients = [1, 2, 3, 4].map((host) => `198.51.100.${host}`);
    const lines = clients.flatMap((client) =>
      Array.from({ length: 55_000 }, (_, index) => {
        const [source, target] = [index + 1, index % 55 === 0 ? vip : "203.0.113.9"];
        return (
          `-I -p udp -s ${client} -d ${target} --sport ${source} --dport 53 -r 10.244.1.3 -q ${client} ` +
          `--reply-port-src 5353 --reply-port-dst ${source} -t 600`
        );
      }),
    );
    const folder = mkdtempSync(join(tmpdir(), "bellhop-flows-"));
    try {
      writeFileSync(join(folder, "flows"), `${lines.join("\n")}\n`);
      await namespace.sh(`conntrack -F; conntrack -R ${join(folder, "flows")}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
    const rule = { destination: vip, destinationPort: 53, endpoints: new Set(["10.244.1.2 5353"]) };
    const table = { family: "ip", name: "bellhop-test" } as const;
    const transaction: NftTransaction = {
      commands: [
        { table, kind: "addTable" },
        { table, kind: "deleteTable" },
      ],
    };
    const { ended, deleted, grownMiB } = await kernel.writeDuringSearch("IPv4", [rule], transaction);
    assert.deepEqual([ended, deleted], [["write", "search"], 4_000]);
    assert.ok(grownMiB < 64, `${grownMiB} MiB more`);
    assert.match(await namespace.sh("conntrack -C"), /^216000\b/);
    await namespace.sh("conntrack -F");
  });

  /** Waits until a change of the network has been noticed; two seconds at the most. */
  async function until(holds: () => Promise<boolean>): Promise<void> {
    for (let attempt = 0; !(await holds()); attempt++) {
      assert.ok(attempt < patiently(100), "not noticed");
      await sleep(20);
    }
  }
});
