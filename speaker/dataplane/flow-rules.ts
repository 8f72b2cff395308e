import type { NftFamily } from "../../src/nft/transaction.ts";
import type { ElementId, ElementIndex } from "./element-index.ts";
import type { FlowRule } from "./flow.ts";
import type { TableChange } from "./table-state.ts";

/** address and port of the UDP port that an element steers; undefined for elements that steer none. */
function steeredPort({ set, key }: ElementId): readonly [string, string] | undefined {
  const [address = "", second = "", third = ""] = key.split(" . ");
  if (set === "udp_pods") return [address, second];
  return (set === "pod_ports" || set === "node_ports") && second === "udp" ? [address, third] : undefined;
}

/**
 * What UDP flows to the ports that a change touched may lead to from now on. Pure. On the way to pods, just the pods of now; on
 * the way to a node port, whatever kube-proxy chose, but not the node itself, which is what a packet got that came before
 * kube-proxy knew the node port.
 */
export function flowRules(
  family: NftFamily,
  change: TableChange,
  index: ElementIndex,
  nodeAddress: string | undefined,
): readonly FlowRule[] {
  const rules = new Map<string, FlowRule>();
  for (const element of [...change.removed, ...change.added]) {
    const steered = steeredPort(element);
    if (steered === undefined) continue;
    const [destination, port] = steered;
    const service = `${destination} . udp . ${port}`;
    rules.set(service, {
      destination,
      destinationPort: Number(port),
      targets: podsOf(family, destination, port, index),
    });
    const nodePort = index.value({ family, set: "node_ports", key: service });
    if (nodeAddress !== undefined && nodePort !== undefined) {
      rules.delete(service);
      rules.set(nodePort, { destination: nodeAddress, destinationPort: Number(nodePort), targets: "translated" });
    }
  }
  return [...rules.values()];
}

function podsOf(family: NftFamily, address: string, port: string, index: ElementIndex): ReadonlySet<string> {
  const chain = index.value({ family, set: "pod_ports", key: `${address} . udp . ${port}` });
  const pods = new Set<string>();
  for (let slot = 0; slot < Number(chain?.split("_").at(-1) ?? 0); slot++) {
    const pod = index.value({ family, set: "udp_pods", key: `${address} . ${port} . ${slot}` });
    if (pod !== undefined) pods.add(pod.replace(" . ", " "));
  }
  return pods;
}
