import type { Variant } from "./results.ts";

/** Why a spec that fails is not a fault that we can mend. It excuses nothing by itself: only what failed is looked up here. */
export interface KnownFailure {
  /** A part of the spec's name. */
  readonly spec: RegExp;
  /** Where it may fail; everywhere when left out. */
  readonly when?: (variant: Variant) => boolean;
  /** A sentence for the page. */
  readonly why: string;
}

export const knownFailures: readonly KnownFailure[] = [
  {
    spec: /switch session affinity for LoadBalancer service with Local/,
    why:
      "The pods are on three nodes, and the spec expects one client to reach several of them through one address under " +
      "`externalTrafficPolicy: Local`. One node announces an address, so only the pods of that node answer.",
  },
  {
    spec: /Local .*should work from pods/,
    when: ({ families }) => families === "ipv6",
    why:
      "The spec takes what is before the first colon of `[fd44::5]:41234` as the client's address (`loadbalancer.go`). The address " +
      "that it prints is right.",
  },
  {
    spec: /should only target nodes with endpoints/,
    when: ({ families }) => families === "dual",
    why:
      "The spec sends the health check of an IPv4 Service to the IPv6 addresses of the nodes too. kube-proxy opens the health check " +
      "node port in the families of the Service only.",
  },
  {
    spec: /should be rejected for evicted pods/,
    why:
      "The pod of the spec stays pending: it requests ephemeral storage, whose accounting the lab switches off because all nodes share " +
      "the disk of the machine.",
  },
];

/** The known reason for a failure of that spec there; undefined when there is none. */
export function knownFailure(spec: string, variant: Variant): KnownFailure | undefined {
  return knownFailures.find((known) => known.spec.test(spec) && (known.when === undefined || known.when(variant)));
}
