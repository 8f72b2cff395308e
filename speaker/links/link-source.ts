import { existsSync, readdirSync, readFileSync } from "node:fs";
import { endianness, networkInterfaces } from "node:os";

/** Where interfaces are read from: node:os, and files below /sys/class/net and /proc/net. */
export interface LinkSource {
  /** All interfaces, also those without addresses. */
  readonly names: () => readonly string[];
  readonly interfaces: () => ReturnType<typeof networkInterfaces>;
  /** Throws where there is no such file, or nothing in it (the carrier of an interface that is switched off). */
  readonly read: (path: string) => string;
  readonly exists: (path: string) => boolean;
  /** Names in a folder. Throws where there is no such folder. */
  readonly list: (path: string) => readonly string[];
  /** Of the machine. */
  readonly endianness: "LE" | "BE";
}

export const systemLinkSource: LinkSource = {
  names: () => readdirSync("/sys/class/net"),
  interfaces: networkInterfaces,
  read: (path) => readFileSync(path, "utf8"),
  exists: existsSync,
  list: (path) => readdirSync(path),
  endianness: endianness(),
};
