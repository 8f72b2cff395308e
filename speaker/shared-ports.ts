import { isManaged, type VirtualIP } from "../src/api/virtual-ip.ts";
import type { ServicePort } from "../src/model/service.ts";
import { refersTo, serviceKeyOf } from "../src/model/service-reference.ts";

/** Whether a Service may have a port on an address. */
export type PermitsPort = (port: Pick<ServicePort, "protocol" | "port">) => boolean;

const permitsAll: PermitsPort = () => true;

/**
 * The ports that a Service may have on the address of a VirtualIP. On an address of several Services these are the ports that the controller has
 * recorded for it, so that a Service which changes its ports does not take those of another before the controller has looked at it. Where
 * nothing is recorded for it, all that are not recorded for another. Pure.
 */
export function permittedPorts(
  { metadata, spec, status }: VirtualIP,
  service: { readonly key: string; readonly uid: string },
): PermitsPort {
  if (spec.services.length < 2) return permitsAll;
  const managed = isManaged({ metadata });
  const recorded = new Map((status?.services ?? []).map((one) => [serviceKeyOf(one), one.sharing.ports]));
  const portsOf = (reference: (typeof spec.services)[number]) =>
    managed ? reference.sharing?.ports : recorded.get(serviceKeyOf(reference));
  const mine = spec.services.find((reference) => refersTo(reference, service));
  const own = mine === undefined ? undefined : portsOf(mine);
  if (own !== undefined) return ({ protocol, port }) => own.includes(`${port}/${protocol}`);
  const others = new Set(spec.services.flatMap((reference) => (reference === mine ? [] : (portsOf(reference) ?? []))));
  return ({ protocol, port }) => !others.has(`${port}/${protocol}`);
}
