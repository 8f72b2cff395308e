import { Attributes } from "../netlink/attributes.ts";
import { hostIsLittleEndian } from "../netlink/byte-order.ts";
import type { MessageWriter } from "../netlink/message-writer.ts";
import type { NetlinkMessage } from "../netlink/messages.ts";

/** An address of an interface. Plain data. */
export interface InterfaceAddress {
  readonly interfaceIndex: number;
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly prefixLength: number;
}

/** RTM_GETADDR and RTM_NEWADDR (linux/rtnetlink.h). */
export const addressMessages = { get: 22, present: 20 } as const;

/** struct ifaddrmsg: family u8, prefix length u8, flags u8, scope u8, index u32. */
const headerLength = 8;

/** IFA_* (linux/if_addr.h). On a link between two hosts `address` is the other end, and `local` is ours. */
const attributes = { address: 1, local: 2 } as const;

/** Writes a request for all addresses of both families. */
export function requestAddresses(writer: MessageWriter): void {
  writer.raw(new Uint8Array(headerLength));
}

/** Undefined for messages about something else. */
export function readAddress({ type, payload }: NetlinkMessage): InterfaceAddress | undefined {
  if (type !== addressMessages.present || payload.length < headerLength) return undefined;
  const found = new Attributes(payload, headerLength);
  const address = found.bytes(attributes.local) ?? found.bytes(attributes.address);
  if (address?.length !== 4 && address?.length !== 16) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const prefixLength = Math.min(view.getUint8(1), address.length * 8);
  return { interfaceIndex: view.getUint32(4, hostIsLittleEndian), address: Uint8Array.from(address), prefixLength };
}
