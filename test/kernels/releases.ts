/** The Debian release that has a version of Linux. */
export const debianReleases = { "5.10": "bullseye", "6.1": "bookworm", "6.12": "trixie" } as const;

/** A version of Linux that can be run. */
export type LinuxVersion = keyof typeof debianReleases;

export const linuxVersions = Object.keys(debianReleases) as readonly LinuxVersion[];

export function isLinuxVersion(text: string): text is LinuxVersion {
  return Object.hasOwn(debianReleases, text);
}
