import { isManaged, type OwnerInterfaces, type VirtualIP } from "../api/virtual-ip.ts";

/** Which nodes are to announce an address, in the form of VirtualIP.spec. */
export interface OwnerAssignment {
  /** Node names in order. Empty: no node may announce it. */
  readonly owners: readonly string[];
  /** Patterns of names of interfaces: of the first owner, and of all others that are not in `ownerInterfaces`. */
  readonly interfaces: readonly string[];
  /** Of the other owners with other interfaces, in the order of the owners. */
  readonly ownerInterfaces?: readonly OwnerInterfaces[] | undefined;
}

/**
 * The owners of a VirtualIP. Pure. Those of the controller's own VirtualIPs are in the spec, whose only writer it is. The spec of a
 * reservation is its user's, so its owners are in the status, which no manifest changes.
 *
 * Owners in the spec of a reservation count first: a controller of an earlier version wrote them there, and may be leading again. As
 * long as a speaker of an earlier version runs, the controller keeps both equal.
 */
export function ownersOf(virtualIp: Pick<VirtualIP, "metadata" | "spec" | "status">): OwnerAssignment {
  const { spec, status } = virtualIp;
  const inStatus = status?.owners ?? [];
  if (isManaged(virtualIp) || spec.owners.length > 0 || inStatus.length === 0) return spec;
  return ownerAssignment(
    inStatus.map(({ node }) => node),
    new Map(inStatus.map(({ node, interfaces }) => [node, interfaces])),
  );
}

/**
 * The term of the owner list: a number that increases with each change of it, and with other changes of the spec. Pure. The API server
 * increases metadata.generation with each change of the spec; the controller increases ownersRevision with each change of status.owners.
 */
export function ownersTermOf({ metadata, status }: Pick<VirtualIP, "metadata" | "spec" | "status">): number {
  return metadata.generation + (status?.ownersRevision ?? 0);
}

/**
 * Brings the interfaces of each node into the form of the spec. A speaker of a version that does not know `ownerInterfaces` announces
 * only as the first owner, so `interfaces` is right for it: those of the first owner, not those of all.
 */
export function ownerAssignment(
  owners: readonly string[],
  interfacesOf: ReadonlyMap<string, readonly string[]>,
): OwnerAssignment & { readonly ownerInterfaces: readonly OwnerInterfaces[] } {
  const [first = "", ...waiting] = owners;
  const interfaces = interfacesOf.get(first) ?? [];
  const ownerInterfaces = waiting
    .map((node) => ({ node, interfaces: [...(interfacesOf.get(node) ?? [])] }))
    .filter((entry) => !sameTexts(entry.interfaces, interfaces));
  return { owners, interfaces, ownerInterfaces };
}

/** The patterns of names of interfaces that one owner may announce the address from. None: any interface on its LAN. */
export function interfacePatternsOf(
  { interfaces, ownerInterfaces = [] }: Pick<OwnerAssignment, "interfaces" | "ownerInterfaces">,
  owner: string,
): readonly string[] {
  return ownerInterfaces.find(({ node }) => node === owner)?.interfaces ?? interfaces;
}

/** Whether both name the same nodes in the same order, with the same interfaces. */
export function sameAssignment(left: OwnerAssignment, right: OwnerAssignment): boolean {
  return (
    sameTexts(left.owners, right.owners) &&
    sameTexts(left.interfaces, right.interfaces) &&
    sameOwnerInterfaces(left.ownerInterfaces ?? [], right.ownerInterfaces ?? [])
  );
}

function sameOwnerInterfaces(left: readonly OwnerInterfaces[], right: readonly OwnerInterfaces[]): boolean {
  return (
    left.length === right.length &&
    left.every(({ node, interfaces }, index) => {
      const other = right[index];
      return node === other?.node && sameTexts(interfaces, other.interfaces);
    })
  );
}

export function sameTexts(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((text, index) => text === right[index]);
}
