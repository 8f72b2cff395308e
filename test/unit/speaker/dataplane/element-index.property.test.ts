import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { endpoint, FakeNode, port, service, settings, slice } from "./fake-node.ts";

const ranges = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "192.0.2.0/24", "0.0.0.0/0", "2001:db8::/32"];
const owner = fc.record({
  key: fc.constantFrom("default/a", "default/b", "default/c"),
  ports: fc.subarray([80, 443]),
  nodePort: fc.constantFrom(0, 30080),
  forwarding: fc.constantFrom("kube-proxy", "nodeport"),
  sourceRanges: fc.subarray(ranges),
  hosts: fc.subarray(["10.244.1.2", "10.244.1.3", "10.244.1.4"]),
  gone: fc.boolean(),
});

/** What is in the sets of our table. Sets that no element was ever in count as empty. */
function elementsOf({ nft }: FakeNode): ReadonlyMap<string, unknown> {
  const filled = [...(nft.table("ip", "bellhop")?.sets ?? [])].filter(
    ([name, { elements }]) => name !== "lan_interfaces" && elements.size > 0,
  );
  return new Map(filled.map(([name, { elements }]) => [name, new Map([...elements].sort())]));
}

test("elements of Services that have one port of one address never conflict in the kernel", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(owner, { maxLength: 12 }), async (steps) => {
      const fakeNode = new FakeNode();
      const put = async (node: FakeNode, step: (typeof steps)[number]) => {
        const ports = step.ports.map((number) => port({ name: `${number}`, port: number, nodePort: step.nodePort }));
        const served = step.ports.map((number) => ({ name: `${number}`, protocol: "TCP", port: number }) as const);
        const annotations = { "bellhop.dev/forwarding": step.forwarding };
        const view = service({ key: step.key, ports, sourceRanges: step.sourceRanges, annotations });
        const slices = [
          slice(
            step.hosts.map((host) => endpoint(host)),
            { ports: served },
          ),
        ];
        return node.put(view, slices, step.gone ? [] : ["192.0.2.200"]);
      };
      for (const step of steps) {
        const { failures } = await put(fakeNode, step);
        assert.deepEqual(failures, []);
        assert.deepEqual(fakeNode.dataplane.refusedServices, []);
      }
      const fresh = new FakeNode();
      for (const step of new Map(steps.map((one) => [one.key, one])).values()) await put(fresh, step);
      // The order of the changes does not matter; what is there is what a whole write would write.
      const before = elementsOf(fakeNode);
      assert.deepEqual(before, elementsOf(fresh));
      fakeNode.dataplane.invalidate();
      await fakeNode.dataplane.apply(settings);
      assert.deepEqual(elementsOf(fakeNode), before);
    }),
    { numRuns: 300 },
  );
});

test("of two Services with one port, node port and source ranges are those of the one with the smaller name, whichever came first", async () => {
  const write = async (names: readonly string[]) => {
    const fakeNode = new FakeNode();
    for (const name of names) {
      const ports = [port({ nodePort: name === "default/a" ? 30080 : 30081 })];
      const sourceRanges = [name === "default/a" ? "10.0.0.0/8" : "10.1.0.0/16"];
      const annotations = { "bellhop.dev/forwarding": "nodeport" };
      const view = service({ key: name, ports, sourceRanges, annotations });
      await fakeNode.put(view, [slice([endpoint("10.244.1.2")])], ["192.0.2.200"]);
    }
    const sets = fakeNode.nft.table("ip", "bellhop")?.sets;
    return ["node_ports", "source_ranges"].map((name) => JSON.stringify([...(sets?.get(name)?.elements ?? [])]));
  };
  const alone = await write(["default/a"]);
  assert.deepEqual(await write(["default/a", "default/b"]), alone);
  assert.deepEqual(await write(["default/b", "default/a"]), alone);
});
