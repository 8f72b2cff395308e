import { formatAddress, parseAddress } from "../../../src/ip/address.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import type { Remark } from "./migration-check.ts";
import { serviceLbFinalizer } from "./served-by.ts";
import { kubeVipPrefix, type ServiceMarks, serviceLbPrefix } from "./service-marks.ts";

/** What kube-vip itself writes, and so what no user has requested (kube-vip pkg/kubevip/annotations.go). */
const writtenByKubeVip = ["vipHost", "hwaddr", "requestedIP", "active-endpoint", "active-endpoint-ipv6"];

/** An address of a Service that a node has on an interface. */
export interface AddressOnInterface {
  readonly node: string;
  readonly interface: string;
  /** With its prefix length. */
  readonly text: string;
}

export interface RemarkInput {
  readonly service: ServiceView;
  readonly marks: ServiceMarks;
  /** The addresses that it would show. */
  readonly then: readonly string[];
  /** Whether these are nodes' own addresses, which kube-proxy forwards. */
  readonly onNodes: boolean;
  /** Whether MetalLB's annotations count. */
  readonly readsMetallb: boolean;
  readonly onInterfaces: readonly AddressOnInterface[];
}

/** What a user should know about one Service before Bellhop serves it. */
export function findRemarks(input: RemarkInput): readonly Remark[] {
  const { service, marks, then, onNodes, readsMetallb, onInterfaces } = input;
  const remarks: Remark[] = [];
  for (const name of [...Object.keys(marks.annotations), ...Object.keys(marks.labels)].sort()) {
    const text = unreadText(name, marks.annotations[name] ?? "", readsMetallb);
    if (text !== undefined) remarks.push({ code: "AnnotationNotRead", text });
  }
  const external = service.externalIPs.filter((ip) => {
    const address = parseAddress(ip);
    return address === undefined || !then.includes(formatAddress(address));
  });
  if (external.length > 0) {
    const text = `lists ${external.join(", ")} in spec.externalIPs. Bellhop does not announce such addresses.`;
    remarks.push({ code: "ExternalIPsNotAnnounced", text });
  }
  if (!onNodes && service.ports.some(({ nodePort }) => nodePort === 0)) {
    const text = "has ports without node ports. Bellhop forwards them straight to pods, and not through kube-proxy.";
    remarks.push({ code: "NoNodePorts", text });
  }
  for (const { node, interface: link, text: address } of onInterfaces) {
    const text = `has ${address} on interface ${link} of Node ${node}. Remove it there: Bellhop announces it only then.`;
    remarks.push({ code: "AddressOnInterface", text });
  }
  if (marks.finalizers.includes(serviceLbFinalizer)) {
    const text = `has the finalizer ${serviceLbFinalizer}. Without ServiceLB nothing removes it, and the Service cannot be deleted.`;
    remarks.push({ code: "FinalizerRemains", text });
  }
  return remarks;
}

function unreadText(name: string, value: string, readsMetallb: boolean): string | undefined {
  const [, short = ""] = name.split("/");
  if (name === `${kubeVipPrefix}loadbalancerIPs`)
    return `has the annotation ${name}, which Bellhop does not read. Copy it to bellhop.dev/ips to keep requesting ${value}.`;
  if (name.startsWith(kubeVipPrefix))
    return writtenByKubeVip.includes(short) ? undefined : `has ${name}, which has no effect with Bellhop.`;
  if (name.startsWith(serviceLbPrefix)) return `has ${name}, which has no effect with Bellhop.`;
  const isRequest = ["loadBalancerIPs", "address-pool", "allow-shared-ip"].includes(short);
  const counts = readsMetallb || value.trim() === "" || !name.startsWith("metallb.");
  return isRequest && !counts ? `has the annotation ${name}, which counts only with --metallb=true.` : undefined;
}
