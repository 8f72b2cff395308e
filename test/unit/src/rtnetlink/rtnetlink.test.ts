import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { BellhopError } from "../../../../src/error/error.ts";
import { errnoNumbers } from "../../../../src/netlink/errno.ts";
import { MessageWriter } from "../../../../src/netlink/message-writer.ts";
import { type NetlinkMessage, readMessages } from "../../../../src/netlink/messages.ts";
import { FakeNetlinkSocket } from "../../../../src/netlink-socket/fake-netlink-socket.ts";
import { NetlinkRequests } from "../../../../src/netlink-socket/requests.ts";
import { type HostNetwork, readHostNetwork } from "../../../../src/rtnetlink/host-network.ts";
import { readAddress } from "../../../../src/rtnetlink/interface-address.ts";
import { readInterface } from "../../../../src/rtnetlink/network-interface.ts";
import { readRoutes } from "../../../../src/rtnetlink/route.ts";

type Fill = (writer: MessageWriter) => void;

function bytesOf(type: number, header: readonly number[], fill: Fill = () => undefined, sequence = 0): Uint8Array {
  const writer = new MessageWriter();
  const start = writer.beginMessage({ type, flags: 2, sequence });
  writer.raw(Uint8Array.from(header));
  fill(writer);
  writer.endMessage(start);
  return writer.toBytes();
}

function message(type: number, header: readonly number[], fill?: Fill): NetlinkMessage {
  const [found] = readMessages(bytesOf(type, header, fill));
  assert.ok(found !== undefined);
  return found;
}

const linkHeader = (index: number, family = 0, flags = 1) => [
  family,
  0,
  1,
  0,
  index,
  0,
  0,
  0,
  flags,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
];
const eth0: Fill = (writer) => {
  writer.bytes(1, Uint8Array.of(2, 0, 0, 0, 0, 1));
  writer.text(3, "eth0");
  writer.u8(16, 6);
  writer.u8(33, 1);
};

describe("readInterface", () => {
  test("reads a network card that is up", () => {
    assert.deepEqual(readInterface(message(16, linkHeader(2), eth0)), {
      index: 2,
      name: "eth0",
      mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
      loopback: false,
      kind: undefined,
      hasMaster: false,
      carrier: true,
      state: "up",
    });
  });

  test("reads the kind of a virtual interface, its master, and that it is down", () => {
    const found = readInterface(
      message(16, linkHeader(7, 0, 8), (writer) => {
        writer.text(3, "veth0");
        writer.u32(10, 3);
        writer.u8(16, 2);
        const info = writer.beginNested(18);
        writer.text(1, "veth");
        writer.endNested(info);
      }),
    );
    assert.deepEqual(
      [found?.kind, found?.hasMaster, found?.carrier, found?.state, found?.loopback, found?.mac.length],
      ["veth", true, false, "other", true, 0],
    );
  });

  test("a port of a bridge that is removed is not an interface that is", () => {
    assert.equal(readInterface(message(16, linkHeader(2, 7), eth0)), undefined);
    assert.equal(readInterface(message(17, linkHeader(2), eth0)), undefined);
  });
});

test("readAddress prefers our own end of a link between two hosts", () => {
  const found = readAddress(
    message(20, [2, 32, 0, 0, 5, 0, 0, 0], (writer) => {
      writer.bytes(1, Uint8Array.of(10, 0, 0, 2));
      writer.bytes(2, Uint8Array.of(10, 0, 0, 1));
    }),
  );
  assert.deepEqual(found, { interfaceIndex: 5, address: Uint8Array.of(10, 0, 0, 1), prefixLength: 32 });
});

const routeHeader = (
  change: { length?: number; type?: number; flags?: number; table?: number; family?: number } = {},
) => [
  change.family ?? 2,
  change.length ?? 0,
  0,
  0,
  change.table ?? 254,
  3,
  0,
  change.type ?? 1,
  (change.flags ?? 0) & 0xff,
  (change.flags ?? 0) >> 8,
  0,
  0,
];
const byRouter: Fill = (writer) => {
  writer.u32(4, 2);
  writer.bytes(5, Uint8Array.of(192, 0, 2, 1));
  writer.u32(6, 100);
};

describe("readRoutes", () => {
  test("reads a default route", () => {
    assert.deepEqual(readRoutes(message(24, routeHeader(), byRouter)), [
      {
        interfaceIndex: 2,
        destination: Uint8Array.of(0, 0, 0, 0),
        prefixLength: 0,
        gateway: Uint8Array.of(192, 0, 2, 1),
        metric: 100,
      },
    ]);
  });

  test("reads each next hop of a route with several, but not one whose link is down", () => {
    const hop = (index: number, flags: number, last: number) => {
      const bytes = Uint8Array.of(16, 0, flags, 0, index, 0, 0, 0, 8, 0, 5, 0, 192, 0, 2, last);
      return [...bytes];
    };
    const found = readRoutes(
      message(24, routeHeader(), (writer) =>
        writer.bytes(9, Uint8Array.from([...hop(2, 0, 1), ...hop(3, 1, 2), ...hop(4, 0, 3)])),
      ),
    );
    assert.deepEqual(
      found.map(({ interfaceIndex, gateway }) => [interfaceIndex, gateway?.[3]]),
      [
        [2, 1],
        [4, 3],
      ],
    );
  });

  for (const [name, header] of [
    ["a route that rejects", { type: 7 }],
    ["a local route", { type: 2 }],
    ["an exception for one host", { flags: 0x200 }],
    ["a route whose link is down", { flags: 1 }],
    ["a route of another table", { table: 100 }],
    ["a route of another family", { family: 28 }],
    ["a prefix that is too long", { length: 33 }],
  ] as const) {
    test(`leaves out ${name}`, () => assert.deepEqual(readRoutes(message(24, routeHeader(header), byRouter)), []));
  }
});

test("bytes that are not what they should be end with a typed error or nothing", () => {
  fc.assert(
    fc.property(fc.constantFrom(16, 20, 24), fc.uint8Array({ maxLength: 80 }), (type, payload) => {
      const one = { type, flags: 0, sequence: 0, portId: 0, payload };
      try {
        readInterface(one);
        readAddress(one);
        readRoutes(one);
      } catch (error) {
        assert.ok(error instanceof BellhopError && error.code === "NetlinkMalformed", String(error));
      }
    }),
    { numRuns: 3000 },
  );
});

describe("readHostNetwork", () => {
  const done = (sequence: number) => bytesOf(3, [0, 0, 0, 0], () => undefined, sequence);

  function readFrom(answers: Readonly<Record<number, readonly Uint8Array[]>>): HostNetwork {
    const socket = new FakeNetlinkSocket(({ type, sequence }) => {
      return { datagrams: [...(answers[type] ?? []).map((bytes) => withSequence(bytes, sequence)), done(sequence)] };
    });
    const reading = readHostNetwork(new NetlinkRequests(socket));
    for (;;) {
      const step = reading.next();
      if (step.done === true) return step.value;
    }
  }

  function withSequence(bytes: Uint8Array, sequence: number): Uint8Array {
    const copy = Uint8Array.from(bytes);
    new DataView(copy.buffer).setUint32(8, sequence, true);
    return copy;
  }

  test("keeps default routes and those within subnets of its addresses, and not the rest of a long table", () => {
    const route = (last: readonly number[], length: number) =>
      bytesOf(24, routeHeader({ length }), (writer) => {
        writer.bytes(1, Uint8Array.from(last));
        writer.u32(4, 2);
      });
    const network = readFrom({
      18: [bytesOf(16, linkHeader(2), eth0)],
      22: [bytesOf(20, [2, 25, 0, 0, 2, 0, 0, 0], (writer) => writer.bytes(2, Uint8Array.of(192, 0, 2, 200)))],
      26: [
        bytesOf(24, routeHeader(), byRouter),
        route([192, 0, 2, 128], 25),
        route([192, 0, 2, 128], 24),
        route([192, 0, 2, 0], 25),
        route([10, 0, 0, 0], 8),
      ],
    });
    assert.equal(network.interfaces.length, 1);
    assert.equal(network.addresses.length, 1);
    // Those of IPv4 came again with the request for IPv6, as from a kernel without IPv6, and count once.
    assert.deepEqual(
      network.routes.map(({ destination, prefixLength }) => `${destination.join(".")}/${prefixLength}`),
      ["0.0.0.0/0", "192.0.2.128/25"],
    );
  });

  test("a node without a routing table has no routes", () => {
    const socket = new FakeNetlinkSocket(({ type, sequence }) =>
      type === 26 ? { errno: errnoNumbers.ENOENT } : { datagrams: [done(sequence)] },
    );
    const step = readHostNetwork(new NetlinkRequests(socket));
    let last = step.next();
    while (last.done !== true) last = step.next();
    assert.deepEqual(last.value.routes, []);
  });
});
