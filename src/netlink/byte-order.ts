/** Whether this machine is little-endian: the host order of netlink headers, and of the values that the kernel keeps in host order. */
export const hostIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
