import type { IpFamily } from "../../src/ip/address.ts";

const files = {
  IPv4: "/proc/sys/net/ipv4/ip_forward",
  IPv6: "/proc/sys/net/ipv6/conf/all/forwarding",
} as const satisfies Record<IpFamily, string>;

/** The families that the kernel of the node does not forward, so that pods cannot be reached by it. Changes nothing. */
export function familiesWithoutForwarding(read: (path: string) => string): readonly IpFamily[] {
  return (["IPv4", "IPv6"] as const).filter((family) => {
    try {
      return read(files[family]).trim() === "0";
    } catch {
      // Without the family there is no such file.
      return true;
    }
  });
}
