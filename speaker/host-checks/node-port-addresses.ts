import { z } from "zod";
import { type IpAddress, parseAddress } from "../../src/ip/address.ts";
import { rangeContains, subnetOf } from "../../src/ip/range.ts";
import type { NodeView } from "../../src/model/node.ts";

/** No configuration in use comes near these numbers. */
const maxEntries = 256;
const maxEntryLength = 64;

/** KubeProxyConfiguration as kube-proxy serves it at /configz, by the name of its API group (k8s.io/kubernetes/cmd/kube-proxy/app/server.go). */
const configzSchema = z.object({
  "kubeproxy.config.k8s.io": z.object({
    nodePortAddresses: z.array(z.string().max(maxEntryLength)).max(maxEntries).nullish(),
  }),
});

/** `nodePortAddresses` in the response of kube-proxy to GET /configz; undefined: the text is not such a response. Never throws. */
export function parseConfigz(text: string): readonly string[] | undefined {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { data } = configzSchema.safeParse(body);
  return data === undefined ? undefined : (data["kubeproxy.config.k8s.io"].nodePortAddresses ?? []);
}

/** The only word that includes neither all addresses of the node nor the one in the Node. */
const loopbackOnly = "localhost";

/**
 * Whether kube-proxy opens node ports at an address that the node has. As in kube-proxy (pkg/proxy/util/nodeport_addresses.go), a family
 * without a listed CIDR is not restricted. A word in place of CIDRs, such as `primary`, includes at least the InternalIP, except `localhost`.
 */
export function opensNodePorts(nodePortAddresses: readonly string[], address: IpAddress): boolean {
  if (nodePortAddresses.length > 0 && nodePortAddresses.every((text) => text === loopbackOnly)) return false;
  // Host bits may be set.
  const ranges = nodePortAddresses.map(subnetOf);
  if (ranges.some((range, index) => range === undefined && nodePortAddresses[index] !== loopbackOnly)) return true;
  const own = ranges.flatMap((range) => (range?.family === address.family ? [range] : []));
  return own.length === 0 || own.some((range) => rangeContains(range, address));
}

/** The InternalIPs at which kube-proxy does not open node ports. `nodePortAddresses` undefined: it is not known where it does. */
export function closedInternalIps(
  node: NodeView | undefined,
  nodePortAddresses: readonly string[] | undefined,
): readonly IpAddress[] {
  if (nodePortAddresses === undefined) return [];
  return [node?.internalIPv4, node?.internalIPv6].flatMap((text) => {
    const address = text === undefined ? undefined : parseAddress(text);
    return address === undefined || opensNodePorts(nodePortAddresses, address) ? [] : [address];
  });
}
