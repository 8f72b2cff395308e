import koffi from "koffi";
import { BellhopError } from "../error/error.ts";
import { hostIsLittleEndian } from "../netlink/byte-order.ts";
import { errnoName, errnoNumbers } from "../netlink/errno.ts";
import { linux } from "./constants.ts";
import type { FilterInstruction } from "./filter-instruction.ts";

/**
 * Everything that Bellhop calls in the C library, and the only file that loads koffi. Synchronous calls only: koffi's
 * asynchronous ones have crashed inside worker threads (koffi issue 190).
 */

/** struct sockaddr_ll (linux/if_packet.h). sll_protocol is in network order. */
const sockaddrLl = koffi.struct("sockaddr_ll", {
  sll_family: "uint16_t",
  sll_protocol: "uint16_t",
  sll_ifindex: "int",
  sll_hatype: "uint16_t",
  sll_pkttype: "uint8_t",
  sll_halen: "uint8_t",
  sll_addr: koffi.array("uint8_t", 8),
});

/** struct packet_mreq (linux/if_packet.h). */
const packetMreq = koffi.struct("packet_mreq", {
  mr_ifindex: "int",
  mr_type: "uint16_t",
  mr_alen: "uint16_t",
  mr_address: koffi.array("uint8_t", 8),
});

/** struct sock_filter and struct sock_fprog (linux/filter.h). */
const sockFilter = koffi.struct("sock_filter", { code: "uint16_t", jt: "uint8_t", jf: "uint8_t", k: "uint32_t" });
const sockFprog = koffi.struct("sock_fprog", { len: "uint16_t", filter: "const sock_filter *" });

/** struct pollfd (poll.h). Written by hand into one buffer, so that waiting allocates nothing: fd, events, revents. */
const pollFd = koffi.struct("pollfd", { fd: "int", events: "short", revents: "short" });

/** Sizes in bytes, for the test that holds them against the kernel's. */
export const structSizes = {
  sockaddr_ll: koffi.sizeof(sockaddrLl),
  packet_mreq: koffi.sizeof(packetMreq),
  sock_filter: koffi.sizeof(sockFilter),
  sock_fprog: koffi.sizeof(sockFprog),
  pollfd: koffi.sizeof(pollFd),
};

// null: the symbols of the program itself, which is linked with the C library, whichever that is.
const library = koffi.load(null);
const native = {
  socket: library.func("int socket(int domain, int type, int protocol)"),
  bind: library.func("int bind(int fd, const sockaddr_ll *address, uint32_t length)"),
  bindRaw: library.func("bind", "int", ["int", "const void *", "uint32_t"]),
  getsockname: library.func("int getsockname(int fd, void *address, void *length)"),
  setInt: library.func("setsockopt", "int", ["int", "int", "int", "const int *", "uint32_t"]),
  getOption: library.func("getsockopt", "int", ["int", "int", "int", "void *", "void *"]),
  attachFilter: library.func("setsockopt", "int", ["int", "int", "int", "const sock_fprog *", "uint32_t"]),
  membership: library.func("setsockopt", "int", ["int", "int", "int", "const packet_mreq *", "uint32_t"]),
  recv: library.func("intptr_t recv(int fd, void *buffer, size_t length, int flags)"),
  sendTo: library.func(
    "intptr_t sendto(int fd, const void *buffer, size_t length, int flags, const void *to, uint32_t toLength)",
  ),
  send: library.func("intptr_t send(int fd, const void *buffer, size_t length, int flags)"),
  poll: library.func("int poll(void *fds, unsigned long count, int timeout)"),
  eventfd: library.func("int eventfd(unsigned int initial, int flags)"),
  read: library.func("intptr_t read(int fd, void *buffer, size_t length)"),
  close: library.func("int close(int fd)"),
  exit: library.func("void _exit(int status)"),
  ifNameToIndex: library.func("unsigned int if_nametoindex(const char *name)"),
};

function check(call: string, result: number): number {
  if (result >= 0) return result;
  const errno = koffi.errno();
  const advice = errno === errnoNumbers.EPERM ? "; the capabilities NET_ADMIN and NET_RAW are needed" : "";
  throw new BellhopError("SocketFailed", `${call} failed with ${errnoName(errno)}${advice}`);
}

/** A raw packet socket that receives nothing until it is bound. Non-blocking. */
export function openPacketSocket(): number {
  return check("socket", native.socket(linux.AF_PACKET, linux.SOCK_RAW | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC, 0));
}

/** `protocol` is an EtherType in host order. */
export function bindPacketSocket(fd: number, interfaceIndex: number, protocol: number): void {
  const address = {
    sll_family: linux.AF_PACKET,
    sll_protocol: ((protocol & 0xff) << 8) | (protocol >> 8),
    sll_ifindex: interfaceIndex,
    sll_hatype: 0,
    sll_pkttype: 0,
    sll_halen: 0,
    sll_addr: new Uint8Array(8),
  };
  check("bind", native.bind(fd, address, structSizes.sockaddr_ll));
}

export function attachFilter(fd: number, filter: readonly FilterInstruction[]): void {
  const program = { len: filter.length, filter };
  const size = structSizes.sock_fprog;
  check("setsockopt", native.attachFilter(fd, linux.SOL_SOCKET, linux.SO_ATTACH_FILTER, program, size));
}

/** The kernel counts: as many drops as adds. All are dropped when the socket is closed. */
export function changeMembership(fd: number, interfaceIndex: number, mac: Uint8Array, change: "add" | "drop"): void {
  const address = new Uint8Array(8);
  address.set(mac);
  const request = {
    mr_ifindex: interfaceIndex,
    mr_type: linux.PACKET_MR_MULTICAST,
    mr_alen: mac.length,
    mr_address: address,
  };
  const option = change === "add" ? linux.PACKET_ADD_MEMBERSHIP : linux.PACKET_DROP_MEMBERSHIP;
  check("setsockopt", native.membership(fd, linux.SOL_PACKET, option, request, structSizes.packet_mreq));
}

/**
 * How many frames a packet socket has lost since the last call, because its queue was full: tp_drops of struct tpacket_stats
 * (linux/if_packet.h). Reading resets it. Throws BellhopError SocketFailed.
 */
export function takeLostFrames(fd: number): number {
  // tp_packets and tp_drops.
  const statistics = new Uint32Array(2);
  const length = Uint32Array.of(statistics.byteLength);
  check("getsockopt", native.getOption(fd, linux.SOL_PACKET, linux.PACKET_STATISTICS, statistics, length));
  return statistics[1] ?? 0;
}

/**
 * A netlink socket with a port id that the kernel chooses. Non-blocking. Answers repeat only the header of a request and say where its fault
 * is.
 */
export function openNetlinkSocket(protocol: number): number {
  const type = linux.SOCK_RAW | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;
  const fd = check("socket", native.socket(linux.AF_NETLINK, type, protocol));
  try {
    check("bind", native.bindRaw(fd, netlinkAddress(0), netlinkAddressLength));
    check("setsockopt", setOption(fd, linux.SOL_NETLINK, linux.NETLINK_CAP_ACK, 1));
    check("setsockopt", setOption(fd, linux.SOL_NETLINK, linux.NETLINK_EXT_ACK, 1));
    return fd;
  } catch (error) {
    native.close(fd);
    throw error;
  }
}

/** The port id that the kernel has given to a netlink socket. */
export function netlinkPortId(fd: number): number {
  const address = netlinkAddress(0);
  readSocketName(fd, address);
  return new DataView(address.buffer).getUint32(4, hostIsLittleEndian);
}

/** Fills in the address that a socket is bound to, as a struct of its family. */
export function readSocketName(fd: number, into: Uint8Array): void {
  check("getsockname", native.getsockname(fd, into, Uint32Array.of(into.length)));
}

/** A UDP socket that is not bound. Non-blocking. `family`: AF_INET or AF_INET6. */
export function openUdpSocket(family: number): number {
  return check("socket", native.socket(family, linux.SOCK_DGRAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC, 0));
}

/** `address`: a struct of the socket's family. */
export function bindSocket(fd: number, address: Uint8Array): void {
  check("bind", native.bindRaw(fd, address, address.length));
}

/** Sets an option of a socket whose value is an int. Throws BellhopError SocketFailed. */
export function setSocketOption(fd: number, level: number, option: number, value: number): void {
  check("setsockopt", setOption(fd, level, option, value));
}

function setOption(fd: number, level: number, option: number, value: number): number {
  return native.setInt(fd, level, option, Int32Array.of(value), 4);
}

/** Sends it as one datagram. Returns 0, or a number of errno(3). */
export function sendDatagram(fd: number, bytes: Uint8Array): number {
  return Number(native.send(fd, bytes, bytes.length, 0)) >= 0 ? 0 : koffi.errno();
}

/** Sends it as one datagram to an address, which is a struct of the socket's family. Returns 0, or a number of errno(3). */
export function sendDatagramTo(fd: number, bytes: Uint8Array, to: Uint8Array): number {
  return Number(native.sendTo(fd, bytes, bytes.length, 0, to, to.length)) >= 0 ? 0 : koffi.errno();
}

/**
 * Receives one datagram. Returns its length, which is more than the buffer's if its end was cut off, or a number of errno(3) as a negative
 * number.
 */
export function receiveDatagram(fd: number, buffer: Uint8Array): number {
  const length = Number(native.recv(fd, buffer, buffer.length, linux.MSG_TRUNC));
  return length >= 0 ? length : -koffi.errno();
}

/** struct sockaddr_nl (linux/netlink.h): family u16, padding u16, port id u32, groups u32; all in host order. */
const netlinkAddressLength = 12;

function netlinkAddress(portId: number): Uint8Array<ArrayBuffer> {
  const address = new Uint8Array(netlinkAddressLength);
  const view = new DataView(address.buffer);
  view.setUint16(0, linux.AF_NETLINK, hostIsLittleEndian);
  view.setUint32(4, portId, hostIsLittleEndian);
  return address;
}

/** Length of the frame put into the buffer; undefined when none waits. */
export function receive(fd: number, buffer: Uint8Array): number | undefined {
  const length: number = Number(native.recv(fd, buffer, buffer.length, 0));
  if (length >= 0) return length;
  const errno = koffi.errno();
  if (errno === errnoNumbers.EAGAIN || errno === errnoNumbers.EINTR) return undefined;
  throw new BellhopError("SocketFailed", `recv failed with ${errnoName(errno)}`);
}

export function send(fd: number, frame: Uint8Array): void {
  check("send", Number(native.send(fd, frame, frame.length, 0)));
}

/** Fills in `revents` and returns how many entries have one; 0 also when a signal came. `entries` holds struct pollfd. */
export function poll(entries: Uint8Array, count: number, timeoutMs: number): number {
  const ready: number = native.poll(entries, count, timeoutMs);
  if (ready < 0 && koffi.errno() === errnoNumbers.EINTR) return 0;
  return check("poll", ready);
}

export function openEventFd(): number {
  return check("eventfd", native.eventfd(0, linux.EFD_NONBLOCK | linux.EFD_CLOEXEC));
}

/** Reads what was written to the eventfd, so that poll waits again. */
export function drainEventFd(fd: number): void {
  native.read(fd, new Uint8Array(8), 8);
}

export function close(fd: number): void {
  native.close(fd);
}

/** Throws where there is no such interface in this network namespace. */
export function interfaceIndex(name: string): number {
  const index: number = native.ifNameToIndex(name);
  if (index > 0) return index;
  throw new BellhopError("SocketFailed", `there is no interface ${name}: ${errnoName(koffi.errno())}`);
}

/**
 * Ends the whole process at once, from whatever thread (exit_group(2)): Node's own exit in a worker ends that thread alone, and a signal to
 * itself does nothing to the first process of a container.
 */
export function endProcess(exitCode: number): void {
  native.exit(exitCode);
}
