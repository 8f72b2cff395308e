import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import type { IpFamily } from "../../../../src/ip/address.ts";
import { parseAddress } from "../../../../src/ip/address.ts";
import { errnoNumbers } from "../../../../src/netlink/errno.ts";
import { FakePacketSockets } from "../../../../src/packet-socket/fake-packet-sockets.ts";
import { LinuxPacketSockets } from "../../../../src/packet-socket/linux-packet-sockets.ts";
import type { PacketSockets } from "../../../../src/packet-socket/packet-sockets.ts";
import { FakeUdpSockets } from "../../../../src/udp-socket/fake-udp-sockets.ts";
import { linuxUdpSockets } from "../../../../src/udp-socket/linux-udp-sockets.ts";
import { encodeSocketAddress, portOf, udpDestination } from "../../../../src/udp-socket/socket-address.ts";
import type { UdpSocket } from "../../../../src/udp-socket/udp-sockets.ts";

const address = (text: string) => parseAddress(text) ?? assert.fail(text);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const loopback = { IPv4: address("127.0.0.1"), IPv6: address("::1") };

/** Datagrams on the loopback are there when send returns; a wait without time would do, too. */
const patienceMs = 1_000;

describe("struct sockaddr", () => {
  const cases = [
    ["192.0.2.7", 7482, "0200 1d3a c0000207 0000000000000000"],
    ["2001:db8::7", 65_535, "0a00 ffff 00000000 20010db8000000000000000000000007 00000000"],
  ] as const;
  for (const [text, port, hex] of cases) {
    test(`of ${text}`, () => {
      const encoded = encodeSocketAddress(address(text), port);
      assert.equal(Buffer.from(encoded).toString("hex"), hex.replaceAll(" ", ""));
      assert.equal(portOf(encoded), port);
    });
  }
});

const isIPv6Missing = (() => {
  try {
    return readFileSync("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "utf8").trim() !== "0";
  } catch {
    return true;
  }
})();

for (const family of ["IPv4", "IPv6"] as const) {
  const skip = family === "IPv6" && isIPv6Missing;
  describe(`UDP sockets of the kernel, ${family}`, { skip }, () => {
    const packetSockets = new LinuxPacketSockets();
    const opened: UdpSocket[] = [];
    const open = (port = 0): UdpSocket => {
      const socket = linuxUdpSockets.open(family, port);
      opened.push(socket);
      return socket;
    };
    after(() => {
      for (const socket of opened) socket.close();
      packetSockets.close();
    });

    test("carry datagrams, and the thread wakes up for them", () => {
      const [one, two] = [open(), open()];
      assert.deepEqual(packetSockets.wait([one, two], 0), []);
      const buffer = new Uint8Array(100);
      assert.equal(two.receive(buffer), undefined);
      assert.equal(one.send(bytes("first"), udpDestination(loopback[family], two.port)), 0);
      assert.equal(one.send(bytes(""), udpDestination(loopback[family], two.port)), 0);
      assert.deepEqual(packetSockets.wait([one, two], patienceMs), [two]);
      assert.equal(two.receive(buffer), 5);
      assert.deepEqual(buffer.subarray(0, 5), bytes("first"));
      assert.deepEqual([two.receive(buffer), two.receive(buffer)], [0, undefined]);
    });

    test("drop a datagram that is longer than the buffer, and keep the next", () => {
      const socket = open();
      const to = udpDestination(loopback[family], socket.port);
      const buffer = new Uint8Array(4);
      socket.send(bytes("longer"), to);
      socket.send(bytes("next"), to);
      packetSockets.wait([socket], patienceMs);
      assert.deepEqual([socket.receive(buffer), socket.receive(buffer)], [0, 4]);
      assert.deepEqual(buffer, bytes("next"));
    });

    test("say that the port is taken", () => {
      const { port } = open();
      assert.throws(() => open(port), { code: "SocketFailed", message: "bind failed with EADDRINUSE" });
    });

    test("leave the port of the other family free", () => {
      const { port } = open();
      const other: IpFamily = family === "IPv4" ? "IPv6" : "IPv4";
      if (!isIPv6Missing) linuxUdpSockets.open(other, port).close();
    });

    test("return the error of a datagram that cannot be sent", () => {
      const socket = open();
      const { port } = socket;
      assert.equal(socket.send(new Uint8Array(70_000), udpDestination(loopback[family], port)), errnoNumbers.EMSGSIZE);
      assert.equal(socket.send(bytes("x"), udpDestination(loopback[family], 0)), errnoNumbers.EINVAL);
    });

    test("can be closed twice, and belong to this process alone", () => {
      const socket = open();
      const { fd } = socket as UdpSocket & { readonly fd: number };
      const [, flags = ""] = /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8")) ?? [];
      // O_NONBLOCK and O_CLOEXEC (asm-generic/fcntl.h).
      assert.equal(Number.parseInt(flags, 8) & 0o2004000, 0o2004000);
      socket.close();
      socket.close();
    });
  });
}

describe("UDP sockets in memory", () => {
  test("behave as those of the kernel", () => {
    const sockets = new FakeUdpSockets();
    const packetSockets: PacketSockets = new FakePacketSockets();
    const socket = sockets.open("IPv4", 7482);
    assert.throws(() => sockets.open("IPv4", 7482), /EADDRINUSE/);
    assert.deepEqual(packetSockets.wait([socket], 0), []);
    socket.inbox.push(bytes("longer"), bytes("next"));
    assert.deepEqual(packetSockets.wait([socket], 0), [socket]);
    const buffer = new Uint8Array(4);
    assert.deepEqual([socket.receive(buffer), socket.receive(buffer), socket.receive(buffer)], [0, 4, undefined]);
    const to = udpDestination(loopback.IPv4, 7482);
    assert.equal(socket.send(buffer, to), 0);
    buffer.fill(0);
    assert.deepEqual(socket.sent, [{ bytes: bytes("next"), to }]);
    socket.close();
    sockets.open("IPv4", 7482);
  });
});
