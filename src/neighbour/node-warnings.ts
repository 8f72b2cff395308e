import type { Speaker } from "../api/speaker.ts";

/**
 * What the speakers report to be wrong on the node that announces an address and on the one that answers for it: conditions that are not True, in
 * whole sentences. `announcer`: name of the node. Undefined where there is none. Pure.
 */
export function describeNodeWarnings(
  speakers: readonly Speaker[],
  announcer: string | undefined,
  seenMac: string | undefined,
): readonly string[] {
  const answers = ({ status }: Speaker): boolean =>
    seenMac !== undefined && (status?.interfaces ?? []).some(({ mac }) => mac === seenMac);
  return speakers
    .filter((speaker) => speaker.metadata.name === announcer || answers(speaker))
    .flatMap(({ metadata, status }) =>
      (status?.conditions ?? [])
        .filter((condition) => condition.status !== "True")
        .map(({ message }) => `Node ${metadata.name}: ${message}`),
    );
}
