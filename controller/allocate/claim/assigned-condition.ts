import { type IpAddress, parseAddress } from "../../../src/ip/address.ts";
import { type AddressReady, loadBalancerFinalizer, type ServiceView } from "../../../src/model/service.ts";

/** Begins the message of a condition that is False although the Service keeps addresses. No other message begins like this. */
const keeps = "Still assigned: ";

/** The beginning of that message. `addresses`: separated by commas. */
export function describeKept(addresses: string): string {
  return `${keeps}${addresses}.`;
}

/**
 * Whether the condition and the finalizer say that we assigned what the Service shows. Neither is enough: other controllers write the
 * same finalizer, and the condition of a Service that we refused says that we assigned nothing. A refusal that takes an address away
 * removes the finalizer with it.
 */
export function isAssignedByBellhop({ addressReady, finalizers }: ServiceView): boolean {
  return addressReady !== undefined && saysAssigned(addressReady) && finalizers.includes(loadBalancerFinalizer);
}

/** Whether the condition names this address, or any, as the one that we assigned. */
export function namesAssigned({ addressReady }: ServiceView, { family, value }: IpAddress): boolean {
  if (addressReady === undefined || !saysAssigned(addressReady)) return false;
  const named = addressesIn(addressReady);
  return named.length === 0 || named.some((address) => address.family === family && address.value === value);
}

function saysAssigned({ status, reason, message }: AddressReady): boolean {
  return status === "True" || reason === "NoAnnouncer" || message.startsWith(keeps);
}

/** The addresses that the message names as assigned. Empty: it names none. */
function addressesIn({ status, message }: AddressReady): readonly IpAddress[] {
  const list = message.startsWith(keeps) ? message.slice(keeps.length) : status === "True" ? message : "";
  // It ends with the message, or with a full stop before further sentences.
  const texts = /^[^\s,]+(?:, [^\s,]+)*/.exec(list)?.[0].replace(/\.$/, "").split(", ") ?? [];
  return texts.flatMap((text) => parseAddress(text) ?? []);
}
