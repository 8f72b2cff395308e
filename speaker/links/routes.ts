import { addressFromBytes, familyBits, type IpAddress } from "../../src/ip/address.ts";
import { type IpRange, rangeContains, rangeSize } from "../../src/ip/range.ts";
import type { HostNetwork } from "../../src/rtnetlink/host-network.ts";

/** A route of the node's main routing table by one interface. */
export interface Route {
  readonly interfaceName: string;
  /** The destinations. */
  readonly range: IpRange;
  readonly metric: number;
  /** Its place in the table: of equal routes the kernel takes the first. */
  readonly order: number;
}

/** The routes in a reading, by the names of their interfaces. Pure. */
export function routesOf({ interfaces, routes }: HostNetwork): readonly Route[] {
  const names = new Map(interfaces.map(({ index, name }) => [index, name]));
  return routes.flatMap(({ interfaceIndex, destination, prefixLength, metric }, order): readonly Route[] => {
    const interfaceName = names.get(interfaceIndex);
    if (interfaceName === undefined) return [];
    const { family, value } = addressFromBytes(destination);
    const hosts = (1n << BigInt(familyBits[family] - prefixLength)) - 1n;
    const first = value & ~hosts;
    return [{ interfaceName, range: { family, first, last: first | hosts }, metric, order }];
  });
}

/** The route that the kernel takes for the address: the most specific, then the one with the lowest metric, then the first. */
export function routeTo(routes: Iterable<Route>, address: IpAddress): Route | undefined {
  let best: Route | undefined;
  for (const route of routes) {
    if (rangeContains(route.range, address) && (best === undefined || comesBefore(route, best))) best = route;
  }
  return best;
}

function comesBefore(left: Route, right: Route): boolean {
  const [leftSize, rightSize] = [rangeSize(left.range), rangeSize(right.range)];
  if (leftSize !== rightSize) return leftSize < rightSize;
  return left.metric !== right.metric ? left.metric < right.metric : left.order < right.order;
}
