import type { VirtualIP } from "../../src/api/virtual-ip.ts";
import { type Reason, reasonOf, serviceObject } from "../../src/model/reason.ts";
import { serviceKeyOf } from "../../src/model/service-reference.ts";

/** The Services whose rules the kernel of this node refuses. */
export interface Refusals {
  /** What the kernel answered; undefined: it accepts them. */
  refusalOf(service: string): { readonly reason: string } | undefined;
}

/** Why this node cannot serve one of the Services of an address as it should; undefined: nothing that is known. Pure. */
export function refusalOf({ spec }: VirtualIP, node: string, refusals: Refusals): Reason | undefined {
  for (const key of spec.services.map(serviceKeyOf)) {
    const refusal = refusals.refusalOf(key);
    if (refusal === undefined) continue;
    const object = serviceObject({ key });
    return reasonOf("RulesRefused", { object, field: "", value: node, detail: `${refusal.reason}.` });
  }
  return undefined;
}
