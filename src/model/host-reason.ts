import type { IpFamily } from "../ip/address.ts";
import type { CannotServe } from "../placement/cannot-serve.ts";
import { type Reason, reasonMessage, reasonOf } from "./reason.ts";

/** How reasons name the node whose settings they are about; what shows them names it. */
const object = "The node";

/** The node does not forward packets of the family that arrive at the interface. */
export function forwardingDisabled(interfaceName: string, family: IpFamily): Reason {
  // For IPv6 only the setting for all interfaces counts.
  const setting = family === "IPv4" ? `net.ipv4.conf.${interfaceName}` : "net.ipv6.conf.all";
  return reasonOf("ForwardingDisabled", { object, field: `${setting}.forwarding`, value: family });
}

/** The node drops packets that arrive at the interface. `clients` and `via`: whose, and by which interface its route to them is. */
export function reversePathFilterStrict(interfaceName: string, clients: string, via: string): Reason {
  const detail = `The route to ${clients} is by ${via}.`;
  const field = `net.ipv4.conf.${interfaceName}.rp_filter`;
  return reasonOf("ReversePathFilterStrict", { object, field, value: interfaceName, detail });
}

/** A family that an interface cannot serve, in words with the cure. */
export function describeCannotServe(interfaceName: string, { family, reason }: CannotServe): string {
  const full =
    reason === "ForwardingDisabled"
      ? forwardingDisabled(interfaceName, family)
      : reversePathFilterStrict(interfaceName, "the clients on its LAN", "another interface");
  return reasonMessage(full);
}
