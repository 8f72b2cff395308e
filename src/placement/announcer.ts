/** Whether the speaker of a node is alive, as far as the caller knows. */
export type IsAlive = (node: string) => boolean;

/**
 * The node that announces an address: the first of its owners that is alive; undefined: none is. Pure. `owners`: those of the
 * VirtualIP (`ownersOf`), in order of preference.
 */
export function announcerOf(owners: readonly string[], isAlive: IsAlive): string | undefined {
  return owners.find(isAlive);
}

/** For a reader that does not know which speakers are alive: the first owner announces. */
export const assumeAlive: IsAlive = () => true;
