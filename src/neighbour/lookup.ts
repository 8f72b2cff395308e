import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import arp from "node-arp";
import { BellhopError } from "../error/error.ts";

/** The programs that node-arp runs, and their Debian packages. If one is missing, node-arp would end this process. */
const programs = [
  ["ping", "iputils-ping"],
  ["arp", "net-tools"],
] as const;

/** ping waits 10 s for its one answer (iputils, ping(8), -W), and arp runs after it. */
const timeoutMs = 12_000;

/**
 * Which device answers for the IPv4 address, as this host sees it: a MAC address in lower case with colons, or undefined if none
 * answers. Sends one echo request, so that the kernel sends an ARP request. Throws CommandFailed if a program that it needs is missing
 * or it takes too long. Does not support IPv6.
 */
export async function lookUpNeighbour(
  address: string,
  searchPath = process.env.PATH ?? "",
): Promise<string | undefined> {
  for (const [program, debianPackage] of programs) {
    if (!isOnPath(program, searchPath)) {
      const cure = `install it (on Debian and Ubuntu: apt-get install ${debianPackage})`;
      throw new BellhopError("CommandFailed", `the look-up needs the program ${program}: ${cure}`);
    }
  }
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new BellhopError("CommandFailed", `the look-up of ${address} did not end within ${timeoutMs} ms`));
    }, timeoutMs);
    arp.getMAC(address, (failed, mac) => {
      clearTimeout(timer);
      resolve(failed ? undefined : normalizeMac(mac));
    });
  });
}

/** Undefined for "(incomplete)" and other texts that arp prints instead of a MAC address. */
export function normalizeMac(text: string): string | undefined {
  const parts = text.trim().toLowerCase().split(/[:-]/);
  return parts.length === 6 && parts.every((part) => /^[0-9a-f]{1,2}$/.test(part))
    ? parts.map((part) => part.padStart(2, "0")).join(":")
    : undefined;
}

function isOnPath(program: string, searchPath: string): boolean {
  return searchPath.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
