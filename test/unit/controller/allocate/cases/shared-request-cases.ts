import type { ServiceReference } from "../../../../../src/api/virtual-ip.ts";
import type { AllocationCase } from "./allocation-case.ts";

const share = (key = "front") => ({ annotations: { "bellhop.dev/share": key } });
const field = "spec.loadBalancerIP";
const requested = { field, value: "192.0.2.10", names: ["default/first"] } as const;

/** Who has an address, and what it offers others there. */
function sharer(
  name: string,
  ports: readonly string[],
  { key = "front", backends = "Cluster", namespace = "default" } = {},
): ServiceReference {
  return { namespace, name, uid: `${name}-uid`, sharing: { key, ports: [...ports], backends } };
}

const first = { address: "192.0.2.10", pool: "lan", services: [sharer("first", ["80/TCP"])] };
const abroad = { address: "192.0.2.10", pool: "lan", services: [sharer("first", ["80/TCP"], { namespace: "shop" })] };
const local = (backends: string) => ({
  address: "192.0.2.10",
  pool: "lan",
  services: [sharer("first", ["80/TCP"], { backends })],
});

const across = { name: "lan", addresses: ["192.0.2.10-192.0.2.12"], spec: { sharing: { acrossNamespaces: true } } };
const joins = ["192.0.2.10 joins from lan"];

/** An address that the Service requests is shared or refused. */
export const sharedRequestCases: readonly AllocationCase[] = [
  {
    name: "it fits",
    claims: [first],
    service: { ...share(), ports: ["81/TCP"], loadBalancerIP: "192.0.2.10" },
    assigns: joins,
  },
  {
    name: "no key",
    claims: [first],
    service: { ports: ["81/TCP"], loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "RequestedAddressTaken", ...requested },
  },
  {
    name: "the other has no key",
    claims: [{ address: "192.0.2.10", pool: "lan", services: ["first"] }],
    service: { ...share(), ports: ["81/TCP"], loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "RequestedAddressTaken", ...requested },
  },
  {
    name: "another key",
    claims: [first],
    service: { ...share("back"), ports: ["81/TCP"], loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "SharingKeyDiffers", ...requested, names: ["default/first", '"front"'] },
  },
  {
    name: "the same port",
    claims: [first],
    service: { ...share(), loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "SharingPortTaken", ...requested, names: ["default/first", "80/TCP"] },
  },
  {
    name: "another policy",
    claims: [first],
    service: { ...share(), ports: ["81/TCP"], local: true, loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "SharingPolicyDiffers", ...requested, names: ["default/first", "Cluster"] },
  },
  {
    name: "another selector under Local",
    claims: [local("Local default app=other")],
    service: { ...share(), ports: ["81/TCP"], local: true, loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "SharingPolicyDiffers", ...requested },
  },
  {
    name: "no selector under Local",
    claims: [local("Local default app=web")],
    service: { ...share(), ports: ["81/TCP"], local: true, selector: {}, loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "SharingPolicyDiffers", ...requested },
  },
  {
    name: "another namespace",
    claims: [abroad],
    service: { ...share(), ports: ["81/TCP"], loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "SharingForbiddenAcrossNamespaces", field, value: "192.0.2.10", names: ["shop/first"] },
  },
  {
    name: "the pool does not admit the Service",
    pools: [{ ...across, spec: { sharing: { acrossNamespaces: true }, serviceAllocation: { namespaces: ["shop"] } } }],
    claims: [abroad],
    service: { ...share(), ports: ["81/TCP"], loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "PoolForbidsService", field, value: "192.0.2.10", names: ["lan", "shop"] },
  },
  {
    name: "the pool drains",
    pools: [{ name: "lan", addresses: ["192.0.2.10"], spec: { state: "Draining" } }],
    claims: [first],
    service: { ...share(), ports: ["81/TCP"], loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "PoolDraining", field, value: "192.0.2.10" },
  },
].map(({ name, ...rest }) => ({ name: `request of a shared address: ${name}`, ...rest }) as AllocationCase);
