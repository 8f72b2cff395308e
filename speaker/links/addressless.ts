import type { LinkSource } from "./link-source.ts";

/** Kinds of virtual interfaces that lead to a LAN (DEVTYPE in /sys/class/net/NAME/uevent). Tunnels have others. */
const lanKinds: ReadonlySet<string> = new Set(["vlan", "bond", "bridge", "wlan"]);

/** Names of interfaces that are of no such kind, by source. An interface never changes its kind, and a node has hundreds for its pods. */
const knownOthers = new WeakMap<LinkSource, Set<string>>();

/**
 * The interfaces that may lead to a LAN even without addresses, so that a user may name them: network cards, and virtual interfaces of a
 * kind that has one below it. A part of a bridge or a bond does not count: the whole does.
 */
export function lanInterfaceNames(source: LinkSource): readonly string[] {
  const names = source.names();
  const others = knownOthers.get(source) ?? new Set();
  knownOthers.set(source, others);
  const present = new Set(names);
  for (const name of others) if (!present.has(name)) others.delete(name);
  return names.filter((name) => {
    if (others.has(name)) return false;
    if (isLanKind(name, source)) return !source.exists(`/sys/class/net/${name}/master`);
    others.add(name);
    return false;
  });
}

function isLanKind(name: string, source: LinkSource): boolean {
  const folder = `/sys/class/net/${name}`;
  if (source.exists(`${folder}/device`)) return true;
  try {
    const [, kind] = /^DEVTYPE=(.*)$/m.exec(source.read(`${folder}/uevent`)) ?? [];
    // Neither macvlan interfaces nor those of pods (veth) have a kind. Only the former have an interface below them: its name follows `lower_`
    // (net/core/dev.c, netdev_adjacent_sysfs_add).
    if (kind === undefined) return source.list(folder).some((entry) => entry.startsWith("lower_"));
    return lanKinds.has(kind);
  } catch {
    // It has just vanished.
    return false;
  }
}
