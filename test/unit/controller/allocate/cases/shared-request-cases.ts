import type { AllocationCase } from "./allocation-case.ts";
import { abroad, across, first, joins, local, share, sharer } from "./sharers.ts";

const field = "spec.loadBalancerIP";
const requested = { field, value: "192.0.2.10", names: ["default/first"] } as const;

const shareWith = (namespaces: string) => ({
  annotations: { ...share().annotations, "bellhop.dev/share-with": namespaces },
});
/** The Service in namespace `shop` allows these namespaces. */
const consenting = (...namespaces: readonly string[]) => ({
  ...abroad,
  services: abroad.services.map((one) => ({
    ...one,
    sharing: { key: "front", namespaces: [...namespaces], ports: ["80/TCP"], backends: "Cluster" },
  })),
});
const foreign = { field, value: "192.0.2.10" } as const;

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
    refuses: { code: "SharingKeyDiffers", ...requested, names: ["default/first"], hides: ["front"] },
  },
  {
    name: "another key, of a Service in another namespace",
    claims: [abroad],
    service: { ...share("back"), ports: ["81/TCP"], loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "SharingKeyDiffers", ...foreign, hides: ["front", "shop", "first"] },
  },
  {
    name: "no key, of a Service in another namespace",
    claims: [abroad],
    service: { ports: ["81/TCP"], loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "RequestedAddressTaken", ...foreign, hides: ["front", "shop", "first"] },
  },
  {
    name: "the same port as a Service in another namespace",
    pools: [across],
    claims: [abroad],
    service: { ...share(), loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "SharingPortTaken", ...foreign, names: ["80/TCP"], hides: ["shop", "/first"] },
  },
  {
    name: "other pods than a Service in another namespace",
    pools: [across],
    claims: [
      { ...abroad, services: [sharer("first", ["80/TCP"], { namespace: "shop", backends: "Local shop app=x" })] },
    ],
    service: { ...share(), ports: ["81/TCP"], loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "SharingPolicyDiffers", ...foreign, names: ["Local"], hides: ["shop", "app=x"] },
  },
  {
    name: "an address that is held for a Service of another namespace",
    claims: [{ ...abroad, held: true }],
    service: { loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "RequestedAddressTaken", ...foreign, names: ["held until"], hides: ["shop", "first"] },
  },
  {
    name: "an address in externalIPs of a Service of another namespace",
    blocked: { "in spec.externalIPs of Service shop/first": ["192.0.2.10"] },
    service: { loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "RequestedAddressTaken", ...foreign, names: ["spec.externalIPs"], hides: ["shop", "first"] },
  },
  {
    name: "an address in the status of a Service of another namespace",
    shown: { "shop/first": ["192.0.2.10"] },
    service: { loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "RequestedAddressTaken", ...foreign, names: ["status"], hides: ["shop", "first"] },
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
    refuses: { code: "SharingPolicyDiffers", ...requested, names: ['the selector "app=other" in namespace default'] },
  },
  {
    name: "no selector under Local",
    claims: [local("Local default app=web")],
    service: { ...share(), ports: ["81/TCP"], local: true, selector: {}, loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "SharingPolicyDiffers", ...requested, names: ["Local and no selector"] },
  },
  {
    name: "another namespace",
    claims: [abroad],
    service: { ...share(), ports: ["81/TCP"], loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "SharingForbiddenAcrossNamespaces", field, value: "192.0.2.10", hides: ["shop"] },
  },
  {
    name: "another namespace that only this Service allows",
    claims: [abroad],
    service: { ...shareWith("shop"), ports: ["81/TCP"], loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "SharingForbiddenAcrossNamespaces", field, value: "192.0.2.10", names: ["shop/first", "default"] },
  },
  {
    name: "another namespace that only the other Service allows",
    claims: [consenting("default")],
    service: { ...share(), ports: ["81/TCP"], loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "SharingForbiddenAcrossNamespaces", field, value: "192.0.2.10", hides: ["shop"] },
  },
  {
    name: "another namespace that both Services allow",
    claims: [consenting("blog", "default")],
    service: { ...shareWith(" blog,shop , Not_a_name"), ports: ["81/TCP"], loadBalancerIP: "192.0.2.10" },
    assigns: joins,
  },
  {
    name: "two other namespaces, one of which does not allow it",
    claims: [
      { ...abroad, services: [...consenting("default").services, sharer("x", ["82/TCP"], { namespace: "blog" })] },
    ],
    service: { ...shareWith("shop,blog"), ports: ["81/TCP"], loadBalancerIP: "192.0.2.10" },
    assigns: [],
    refuses: { code: "SharingForbiddenAcrossNamespaces", field, value: "192.0.2.10", names: ["blog/x"] },
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
