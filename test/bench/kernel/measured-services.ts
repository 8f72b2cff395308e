import { type IpAddress, parseAddress } from "../../../src/ip/address.ts";
import type { EndpointSliceView } from "../../../src/model/endpoint-slice.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import { endpoint, port, service, slice } from "../../unit/speaker/dataplane/fake-node.ts";

/** One Service without a node port, with one address and endpoints. */
export interface MeasuredService {
  readonly view: ServiceView;
  readonly addresses: readonly IpAddress[];
  readonly slices: readonly EndpointSliceView[];
}

/** The number as the last three bytes of an address. */
function dotted(number: number): string {
  return `${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}

/**
 * Service number `index`, below 65,536. `endpoints`: how many. `round` moves the first `moved` of them to other addresses. `on`: the node that they
 * run on; those on other nodes have one more element each, because the client's address is masqueraded.
 */
export function measuredService(
  index: number,
  endpoints: number,
  { round = 0, moved = 0, on = "n1" }: { readonly round?: number; readonly moved?: number; readonly on?: string } = {},
): MeasuredService {
  const address = parseAddress(`198.18.${index >> 8}.${index & 255}`);
  if (address === undefined || index > 0xffff) throw new RangeError(`there is no address for Service ${index}`);
  const list = Array.from({ length: endpoints }, (_, number) =>
    // Sorted alike in each round, so that each endpoint keeps its place.
    endpoint(`${number < moved ? 10 + (round % 50) : 100}.${dotted(index * endpoints + number)}`, on),
  );
  const key = `default/s${index}`;
  return {
    view: service({ key, uid: key, ports: [port({ nodePort: 0 })] }),
    addresses: [address],
    slices: [slice(list, { key: `${key}-1`, serviceKey: key })],
  };
}
