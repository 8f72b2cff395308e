import { type IpAddress, type IpFamily, parseAddress } from "../../../src/ip/address.ts";
import { type Reason, reasonOf, serviceObject } from "../../../src/model/reason.ts";
import type { ServiceView } from "../../../src/model/service.ts";
import { serviceAnnotation } from "./service-annotations.ts";

/** An address that the user requests, and in which field. */
export interface RequestedAddress {
  readonly address: IpAddress;
  readonly field: string;
  readonly text: string;
}

export type RequestParse =
  | { readonly requested: ReadonlyMap<IpFamily, RequestedAddress>; readonly reason?: never }
  | { readonly requested?: never; readonly reason: Reason };

/**
 * Reads spec.loadBalancerIP and the annotation bellhop.dev/ips. Both are free text that the API server does not validate. In the
 * annotation, white space and empty entries do not count.
 */
export function parseRequest(service: ServiceView): RequestParse {
  const requested = new Map<IpFamily, RequestedAddress>();
  for (const { field, text } of requestTexts(service)) {
    const about = { object: serviceObject(service), field, value: text };
    const address = parseAddress(text);
    if (address === undefined) {
      return { reason: reasonOf("RequestedAddressInvalid", { ...about, detail: explainText(text) }) };
    }
    if (!service.ipFamilies.includes(address.family)) {
      const detail = `The address is ${address.family}, and spec.ipFamilies is ${service.ipFamilies.join(", ")}.`;
      return { reason: reasonOf("RequestedAddressWrongFamily", { ...about, detail }) };
    }
    const other = requested.get(address.family);
    if (other !== undefined && other.address.value !== address.value) {
      return {
        reason: reasonOf("RequestedAddressesAmbiguous", { ...about, detail: `The other one is ${other.text}.` }),
      };
    }
    requested.set(address.family, { address, field, text });
  }
  return { requested };
}

/** The usual mistakes in a text that is not an address. */
function explainText(text: string): string | undefined {
  if (/^["']|["']$/.test(text)) return "Its quotation marks are part of the text. Remove them.";
  const parts = text.split(/[\s;|]+/);
  if (parts.length > 1 && parts.every((part) => parseAddress(part) !== undefined)) {
    return "It contains several addresses. Separate them by commas, in the annotation bellhop.dev/ips.";
  }
  return undefined;
}

function requestTexts(service: ServiceView): readonly { readonly field: string; readonly text: string }[] {
  const annotation = serviceAnnotation(service, "ips");
  const byAnnotation =
    annotation === undefined
      ? []
      : annotation.text
          .split(",")
          .map((text) => ({ field: annotation.field, text: text.trim() }))
          .filter(({ text }) => text !== "");
  const text = service.loadBalancerIP;
  return text === undefined ? byAnnotation : [{ field: "spec.loadBalancerIP", text }, ...byAnnotation];
}
