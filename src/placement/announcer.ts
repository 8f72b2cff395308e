/** Whether the speaker of a node is alive, as far as the caller knows. */
export type IsAlive = (node: string) => boolean;

/**
 * The node that announces an address: the first of its owners that is alive; undefined: none is. Pure. `owners`: those of the
 * VirtualIP (`ownersOf`), in order of preference.
 */
export function announcerOf(owners: readonly string[], isAlive: IsAlive): string | undefined {
  return owners.find(isAlive);
}

/**
 * What a speaker knows of the others today: nothing. It takes all of them for alive, so the first owner announces, and the controller
 * alone moves an address away from a dead node, by writing another owner first. A membership of speakers will take the place of this
 * function: once it says that the first owner is dead, the next one announces without waiting for the controller.
 */
export const assumeAlive: IsAlive = () => true;
