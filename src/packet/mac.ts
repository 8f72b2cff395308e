/** Length of a MAC address in bytes. */
export const macLength = 6;

/** All devices on the LAN (IEEE 802.3). */
export const broadcastMac: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

/** No address: the target of an ARP request, and what the kernel reports for interfaces that have none. */
export const zeroMac: Uint8Array = new Uint8Array(macLength);

/** Reads `52:54:00:12:34:56`, upper or lower case. Undefined for anything else; never throws. */
export function parseMac(text: string): Uint8Array | undefined {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) return undefined;
  return Uint8Array.from(text.split(":"), (part) => Number.parseInt(part, 16));
}

/** Lower case with colons, as Linux prints it. */
export function formatMac(mac: Uint8Array): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** Whether it can belong to one interface: neither a group address (lowest bit of the first byte) nor all zeros. */
export function isUnicastMac(mac: Uint8Array): boolean {
  return ((mac[0] ?? 1) & 1) === 0 && !equalBytes(mac, zeroMac);
}

export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}
