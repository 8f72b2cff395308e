import type { IpFamily } from "../../src/ip/address.ts";
import { isLan } from "../../src/ip/lan.ts";
import { servesFamily } from "../../src/placement/announcing-interfaces.ts";
import type { Link } from "../links/link.ts";

/**
 * The families of which this node delivers what arrives for addresses: its rules are written, and of the interfaces on whose LAN there are such
 * addresses, one at least does not drop them. `lanInterfaces`: the names of these interfaces. Pure.
 */
export function deliverableFamilies(
  ready: readonly IpFamily[],
  links: readonly Link[],
  lanInterfaces: readonly string[],
): readonly IpFamily[] {
  return ready.filter((family) => {
    const onLan = links.filter(
      ({ name, subnets }) =>
        lanInterfaces.includes(name) && subnets.some((subnet) => subnet.family === family && isLan(subnet)),
    );
    return onLan.length === 0 || onLan.some((link) => servesFamily(link, family));
  });
}
