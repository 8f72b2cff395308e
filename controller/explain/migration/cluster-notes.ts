import { formatAddress, parseAddress } from "../../../src/ip/address.ts";
import { matchesGlob } from "../../../src/placement/glob.ts";
import { announcerNodesOf, selectsNode } from "../../owners/announcer-node.ts";
import { isUnrestricted } from "../../owners/select-advertisements.ts";
import type { Announcers } from "./announcers.ts";
import type { ServiceChange } from "./migration-check.ts";
import type { MigrationInput } from "./migration-input.ts";

/** What does not concern one Service alone, in whole sentences. */
export function findClusterNotes(
  input: MigrationInput,
  changes: readonly ServiceChange[],
  announcers: Announcers,
): readonly string[] {
  return [
    ...noteSpeakers(announcers),
    ...noteInterfaces(input, announcers),
    ...noteExternalIps(input),
    ...noteMetallb(input, changes),
  ];
}

function noteSpeakers({ interfacesKnown }: Announcers): readonly string[] {
  if (interfacesKnown) return [];
  return [
    "No speaker runs, so the interfaces of the nodes are unknown. Which nodes may announce an address follows from labels alone.",
  ];
}

/** Interfaces that an L2Advertisement names, and no node has that it selects. */
function noteInterfaces({ candidates }: MigrationInput, { interfacesKnown }: Announcers): readonly string[] {
  if (!interfacesKnown) return [];
  const nodes = announcerNodesOf(candidates);
  return candidates.advertisements.flatMap(({ metadata, spec }) => {
    const links = nodes.filter(({ node }) => selectsNode(spec, node)).flatMap(({ interfaces }) => interfaces);
    const missing = (spec.interfaces ?? []).filter((pattern) => !links.some(({ name }) => matchesGlob(pattern, name)));
    return missing.length === 0
      ? []
      : [
          `L2Advertisement ${metadata.name} names ${missing.join(", ")}, and no node that it selects has such an interface.`,
        ];
  });
}

/** Addresses of pools that a Service lists in spec.externalIPs: kept out of use, unless they are over the limit of its namespace. */
function noteExternalIps({ services, allocations }: MigrationInput): readonly string[] {
  return services.flatMap(({ key, externalIPs }) =>
    externalIPs.flatMap((text) => {
      const address = parseAddress(text);
      const pool = address === undefined ? undefined : allocations.poolOf(address);
      if (address === undefined || pool === undefined) return [];
      const kept = allocations.blockedBy(address) !== undefined;
      const effect = kept
        ? "so no other Service gets it"
        : "over the limit of its namespace, so another Service may get it (--max-external-ips-per-namespace)";
      return [`${formatAddress(address)} of pool ${pool.name} is in spec.externalIPs of Service ${key}, ${effect}.`];
    }),
  );
}

function noteMetallb(
  { metallb, candidates, bgp }: MigrationInput,
  changes: readonly ServiceChange[],
): readonly string[] {
  const served = changes.some(({ servedBy }) => servedBy?.name === "MetalLB");
  if (metallb === undefined)
    return served ? ["MetalLB serves Services. Its pools and annotations count only with --metallb=true."] : [];
  return served && bgp.length === 0 && isUnrestricted(candidates)
    ? [
        "MetalLB has no L2Advertisement, so it announces no addresses in layer 2 mode. Bellhop will announce all of them.",
      ]
    : [];
}
