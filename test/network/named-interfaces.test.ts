import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ownPath } from "../../src/kube/path.ts";
import { ApiServer } from "./api-server.ts";
import { Lan } from "./lan.ts";
import { skipReason } from "./namespace.ts";

/** Interfaces of a node that are on no subnet by themselves, and a bond, each of which an L2Advertisement names. */
const interfaces: readonly {
  readonly name: string;
  readonly what: string;
  /** The third byte of its addresses. */
  readonly subnet: number;
  /** Makes it on the node, where the interface `spare` is on the LAN. */
  readonly create: (spare: string) => string;
  /** The interface of the client on the same LAN. */
  readonly client?: { readonly name: string; readonly create: string };
}[] = [
  {
    name: "mac0",
    what: "a macvlan without an address",
    subnet: 1,
    create: (spare) => `ip link add mac0 link ${spare} type macvlan mode bridge`,
  },
  {
    name: "svc0",
    what: "a bridge without an address",
    subnet: 2,
    create: (spare) => `ip link add svc0 type bridge && ip link set ${spare} master svc0`,
  },
  {
    name: "eth0.20",
    what: "a VLAN without an address",
    subnet: 3,
    create: () => "ip link add link eth0 name eth0.20 type vlan id 20",
    client: { name: "eth0.20", create: "ip link add link eth0 name eth0.20 type vlan id 20; ip link set eth0.20 up" },
  },
  {
    name: "bond0",
    what: "a bond without an address",
    subnet: 4,
    create: (spare) =>
      `ip link add bond0 type bond mode active-backup && ip link set ${spare} down && ip link set ${spare} master bond0`,
  },
  {
    name: "host0",
    what: "an interface with a single /32",
    subnet: 5,
    create: (spare) =>
      `ip link set ${spare} down && ip link set ${spare} name host0 && ip addr add 198.18.5.11/32 dev host0`,
  },
];

const skip = skipReason();
describe("interfaces that an L2Advertisement names", { skip: skip ?? false }, () => {
  /** Those that this kernel can make. */
  const made = new Set<string>();
  let lan: Lan;
  let api: ApiServer;
  const ends: (() => void)[] = [];

  before(async () => {
    lan = await Lan.create();
    ends.unshift(() => lan.destroy());
    for (const one of interfaces) await makeInterface(one);
    api = await ApiServer.start(lan.nodes[0]);
    ends.unshift(() => api.destroy());
    for (const one of interfaces) await createObjects(one);
    api.startBellhop("controller", "--leader-elect", "false");
    api.startBellhop("speaker");
  });
  after(() => {
    for (const end of ends) end();
  });

  /** The node has no address in the subnet of the client, and a route to it. */
  async function makeInterface({ name, subnet, create, client }: (typeof interfaces)[number]): Promise<void> {
    const [node] = lan.nodes;
    const spare = `spare${subnet}`;
    await lan.addInterface(node, `s${subnet}`, spare);
    const problem = await node.try(`${create(spare)} && ip link set ${name} up && echo done`);
    if (!problem.includes("done")) return;
    made.add(name);
    await node.sh(`ip route add 198.18.${subnet}.0/24 dev ${name}`);
    if (client !== undefined) await lan.client.sh(client.create);
    await lan.client.sh(`ip addr add 198.18.${subnet}.99/24 dev ${client?.name ?? "eth0"}`);
  }

  async function createObjects({ name, subnet }: (typeof interfaces)[number]): Promise<void> {
    const metadata = { name: `lan-${subnet}` };
    await api.post(ownPath("ipaddresspools"), { metadata, spec: { addresses: [addressOn(subnet)] } });
    const spec = { ipAddressPools: [metadata.name], interfaces: [name] };
    await api.post(ownPath("l2advertisements"), { metadata, spec });
    await api.post("/api/v1/namespaces/default/services", {
      metadata: { ...metadata, namespace: "default" },
      spec: {
        type: "LoadBalancer",
        ipFamilies: ["IPv4"],
        ipFamilyPolicy: "SingleStack",
        loadBalancerIP: addressOn(subnet),
        ports: [{ protocol: "TCP", port: 80 }],
      },
    });
    await api.post("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
      metadata: { ...metadata, namespace: "default", labels: { "kubernetes.io/service-name": metadata.name } },
      addressType: "IPv4",
      ports: [{ name: "", protocol: "TCP", port: 8080 }],
      endpoints: [{ addresses: ["10.244.1.2"], nodeName: "n1", conditions: { ready: true } }],
    });
  }

  for (const one of interfaces) {
    test(`${one.what} answers for the address, and traffic goes both ways`, async (t) => {
      if (!made.has(one.name)) return t.skip(`NOT RUN: this kernel cannot make ${one.what}`);
      const address = addressOn(one.subnet);
      const [node] = lan.nodes;
      const mac = (await node.sh(`cat /sys/class/net/${one.name}/address`)).trim();
      const from = one.client?.name ?? "eth0";
      for (let attempt = 0; ; attempt++) {
        const answer = await lan.client.try(`arping -c 1 -w 1 -i ${from} ${address}`);
        if (answer.includes(mac)) break;
        if (attempt > 60) assert.fail(`${answer}${JSON.stringify(await api.get(ownPath("virtualips")))}`);
        await sleep(200);
      }
      assert.deepEqual(await lan.ask("tcp", address, 80, 3), Array(3).fill(`pod1 198.18.${one.subnet}.99`));
    });
  }
});

function addressOn(subnet: number): string {
  return `198.18.${subnet}.200`;
}
