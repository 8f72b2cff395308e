import type { ServiceReference } from "../../../../../src/api/virtual-ip.ts";

/** Annotations of a Service that shares its address. */
export const share = (key = "front") => ({ annotations: { "bellhop.dev/share": key } });

/** Which Service has an address, and what it offers others there. */
export function sharer(
  name: string,
  ports: readonly string[],
  { key = "front", backends = "Cluster", namespace = "default" } = {},
): ServiceReference {
  return { namespace, name, uid: `${name}-uid`, sharing: { key, ports: [...ports], backends } };
}

/** A claim that the Service `first` shares on port 80. */
export const first = { address: "192.0.2.10", pool: "lan", services: [sharer("first", ["80/TCP"])] };

/** The same, of a Service in namespace `shop`. */
export const abroad = {
  address: "192.0.2.10",
  pool: "lan",
  services: [sharer("first", ["80/TCP"], { namespace: "shop" })],
};

/** The same, of a Service with externalTrafficPolicy Local and these endpoints. */
export const local = (backends: string) => ({
  address: "192.0.2.10",
  pool: "lan",
  services: [sharer("first", ["80/TCP"], { backends })],
});

/** The pool, sharing across namespaces. */
export const across = {
  name: "lan",
  addresses: ["192.0.2.10-192.0.2.12"],
  spec: { sharing: { acrossNamespaces: true } },
};

/** What a Service is assigned that joins the claim, and one that gets an address of its own. */
export const joins = ["192.0.2.10 joins from lan"];
export const own = ["192.0.2.11 new from lan"];
