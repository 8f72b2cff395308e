import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { permittedPorts } from "../../../speaker/shared-ports.ts";
import { managedByController, managedByLabel } from "../../../src/api/labels.ts";
import { type VirtualIP, virtualIpSchema } from "../../../src/api/virtual-ip.ts";
import { ownPath } from "../../../src/kube/path.ts";
import { SpeakerFixture } from "./speaker-fixture.ts";

const candidates = ["80/TCP", "81/TCP", "53/UDP", "53/TCP"] as const;
const sharing = (...ports: readonly string[]) => ({ key: "k", ports, backends: "Cluster" });
const web = { namespace: "shop", name: "web", uid: "1" };
const other = { namespace: "aaa", name: "other", uid: "2" };

function virtualIp(services: readonly object[], records: readonly object[] | undefined, managed: boolean): VirtualIP {
  return virtualIpSchema.parse({
    metadata: { name: "192.0.2.200", labels: managed ? { [managedByLabel]: managedByController } : {} },
    spec: { address: "192.0.2.200", services },
    status: records === undefined ? undefined : { services: records },
  });
}

describe("the ports that a Service may have on an address", () => {
  const cases: readonly {
    readonly words: string;
    readonly services: readonly object[];
    readonly records?: readonly object[];
    readonly managed?: boolean;
    readonly permits: readonly string[];
  }[] = [
    { words: "alone: all", services: [{ ...web, sharing: sharing("80/TCP") }], permits: candidates },
    {
      words: "of several: those recorded for it",
      services: [
        { ...web, sharing: sharing("80/TCP", "53/UDP") },
        { ...other, sharing: sharing("81/TCP") },
      ],
      permits: ["80/TCP", "53/UDP"],
    },
    {
      words: "that nothing is recorded of: those of no other Service",
      services: [web, { ...other, sharing: sharing("81/TCP", "53/TCP") }],
      permits: ["80/TCP", "53/UDP"],
    },
    { words: "of several without any record: all", services: [web, other], permits: candidates },
    {
      words: "in a reservation: those that the controller has recorded, whatever its user wrote",
      managed: false,
      services: [
        { ...web, sharing: sharing("53/TCP") },
        { ...other, sharing: sharing("80/TCP") },
      ],
      records: [
        { namespace: "shop", name: "web", sharing: sharing("80/TCP") },
        { namespace: "aaa", name: "other", sharing: sharing("81/TCP") },
      ],
      permits: ["80/TCP"],
    },
    {
      words: "created again under its name: not those of the one before",
      services: [
        { ...web, uid: "0", sharing: sharing("80/TCP") },
        { ...other, sharing: sharing("81/TCP") },
      ],
      permits: ["53/UDP", "53/TCP"],
    },
  ];
  for (const { words, services, records, managed = true, permits } of cases) {
    test(words, () => {
      const permitted = permittedPorts(virtualIp(services, records, managed), { key: "shop/web", uid: "1" });
      const found = candidates.filter((text) => {
        const [port = "", protocol] = text.split("/");
        return permitted({ port: Number(port), protocol: protocol as "TCP" | "UDP" });
      });
      assert.deepEqual(found, permits);
    });
  }
});

test("a Service that takes the port of another one on a shared address does not get its traffic", async () => {
  const fixture = new SpeakerFixture();
  await fixture.populate("n1");
  const annotations = { "bellhop.dev/forwarding": "nodeport" };
  await fixture.patch("/api/v1/namespaces/default/services/web", { metadata: { annotations } });
  await fixture.post("/api/v1/namespaces/default/services", {
    metadata: { name: "aaa", namespace: "default", annotations },
    spec: { type: "LoadBalancer", ipFamilies: ["IPv4"], ports: [{ protocol: "TCP", port: 81, nodePort: 30081 }] },
  });
  const services = [
    { namespace: "default", name: "web", sharing: sharing("80/TCP") },
    { namespace: "default", name: "aaa", sharing: sharing("81/TCP") },
  ];
  const metadata = { labels: { [managedByLabel]: managedByController } };
  await fixture.patch(ownPath("virtualips", "192.0.2.200"), { metadata, spec: { services } });
  await fixture.start();
  const nodePorts = () =>
    [...(fixture.nft.table("ip", "bellhop")?.sets.get("node_ports")?.elements.values() ?? [])]
      .map(({ data }) => (typeof data === "string" ? (data.charCodeAt(0) << 8) | data.charCodeAt(1) : 0))
      .sort();
  assert.deepEqual(nodePorts(), [30080, 30081]);
  await fixture.patch("/api/v1/namespaces/default/services/aaa", {
    spec: { ports: [{ protocol: "TCP", port: 80, nodePort: 30081 }] },
  });
  await fixture.settle();
  assert.deepEqual(nodePorts(), [30080]);
  await fixture.stop();
});
