/** One address that needs owners. */
export interface OwnedAddress {
  /** Name of its VirtualIP. */
  readonly name: string;
  /** The present owner list. */
  readonly current: readonly string[];
  /** Nodes that may announce it; sorted. Use the same array for addresses with the same candidates. */
  readonly candidates: readonly string[];
  /** Nodes with ready endpoints where externalTrafficPolicy is Local. Undefined: any node will do. */
  readonly local: ReadonlySet<string> | undefined;
}
