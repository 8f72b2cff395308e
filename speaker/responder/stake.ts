/** One address that this node may announce. The responder thread decides when it does. */
export interface Stake {
  /** Text form of the address; there is one stake for each. */
  readonly text: string;
  /** 4 or 16 bytes, network order. */
  readonly address: Uint8Array;
  /** Names of nodes, in order of preference. */
  readonly owners: readonly string[];
  /** The term of the list of owners (`ownersTermOf`). */
  readonly term: number;
  /** Whether this node can serve the address: the kernel has its rules, and an interface on its LAN is up. */
  readonly armed: boolean;
  /** Names of the interfaces that the address is announced on. */
  readonly interfaces: readonly string[];
}
