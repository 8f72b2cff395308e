import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deleteFlows, type FlowFamily, type FlowProtocol, type TrackedFlow } from "../../../../src/ctnetlink/flows.ts";
import { readTuple, type Tuple, writeTuple } from "../../../../src/ctnetlink/tuple.ts";
import { Attributes } from "../../../../src/netlink/attributes.ts";
import { errnoNumbers } from "../../../../src/netlink/errno.ts";
import { MessageWriter } from "../../../../src/netlink/message-writer.ts";
import type { NetlinkMessage } from "../../../../src/netlink/messages.ts";
import { type FakeAnswer, FakeNetlinkSocket } from "../../../../src/netlink-socket/fake-netlink-socket.ts";
import { NetlinkRequests } from "../../../../src/netlink-socket/requests.ts";

const udp = 17;
const tcp = 6;

function tuple(from: readonly number[], to: readonly number[], change: Partial<Tuple> = {}): Tuple {
  return {
    source: Uint8Array.from(from),
    destination: Uint8Array.from(to),
    protocol: udp,
    sourcePort: 40_000,
    destinationPort: 53,
    ...change,
  };
}

const client = [192, 0, 2, 99];
const vip = [192, 0, 2, 200];
const pod = [10, 244, 1, 2];

function flow(id: number, change: Partial<TrackedFlow> = {}): TrackedFlow {
  return { original: tuple(client, vip), reply: tuple(pod, client), zone: 0, timeWait: false, id, ...change };
}

/** Connection tracking of a kernel, as far as deletions need it. Ends the test when a deletion would match more than one flow. */
class TrackingTable {
  readonly flows: TrackedFlow[];
  readonly requests: NetlinkMessage[] = [];
  /** Numbers of flows that the kernel does not delete, as those in a flowtable. */
  busy: ReadonlySet<number> = new Set();
  readonly socket = new FakeNetlinkSocket((message) => this.#handle(message));

  constructor(flows: readonly TrackedFlow[]) {
    this.flows = [...flows];
  }

  #handle(message: NetlinkMessage): FakeAnswer {
    this.requests.push({ ...message, payload: Uint8Array.from(message.payload) });
    return message.type === 0x0101 ? this.#list(message.sequence) : this.#delete(message);
  }

  #list(sequence: number): FakeAnswer {
    // One flow in each datagram, so that a dump has many steps.
    const datagrams = this.flows.map((one) => this.#datagram(0x0100, sequence, one));
    return { datagrams: [...datagrams, this.#datagram(3, sequence, undefined)] };
  }

  #datagram(type: number, sequence: number, one: TrackedFlow | undefined): Uint8Array {
    const writer = new MessageWriter();
    const start = writer.beginMessage({ type, flags: 2, sequence });
    writer.raw(new Uint8Array(4));
    if (one !== undefined) {
      writeTuple(writer, 1, one.original);
      writeTuple(writer, 2, one.reply);
      writer.u32Be(12, one.id ?? 0);
      if (one.zone !== 0) writer.u16Be(18, one.zone);
      if (one.original.protocol === tcp) {
        const information = writer.beginNested(4);
        const connection = writer.beginNested(1);
        writer.u8(1, one.timeWait ? 7 : 3);
        writer.endNested(connection);
        writer.endNested(information);
      }
    }
    writer.endMessage(start);
    return writer.toBytes();
  }

  #delete({ type, payload }: NetlinkMessage): FakeAnswer {
    assert.equal(type, 0x0102);
    const attributes = new Attributes(payload, 4);
    const original = attributes.nested(1);
    const wanted = original && readTuple(original);
    assert.ok(wanted !== undefined, "a deletion without a complete tuple deletes everything");
    const [id, zone] = [attributes.u32Be(12), attributes.u16Be(18) ?? 0];
    const at = this.flows.findIndex((one) => {
      const { source, destination, sourcePort, destinationPort } = one.original;
      return (
        [...source, ...destination].join() === [...wanted.source, ...wanted.destination].join() &&
        [sourcePort, destinationPort, one.id, one.zone].join() ===
          [wanted.sourcePort, wanted.destinationPort, id, zone].join()
      );
    });
    if (at < 0) return { errno: errnoNumbers.ENOENT };
    if (this.busy.has(id ?? 0)) return { errno: errnoNumbers.EBUSY };
    this.flows.splice(at, 1);
    return {};
  }
}

function deleteFrom(
  table: TrackingTable,
  isStale: (flow: TrackedFlow) => boolean,
  family: FlowFamily = "IPv4",
  between: () => void = () => undefined,
  protocol: FlowProtocol = "udp",
): number {
  const work = deleteFlows(new NetlinkRequests(table.socket), family, protocol, isStale);
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    between();
  }
}

describe("deleteFlows", () => {
  test("deletes what is stale, and nothing else", () => {
    const table = new TrackingTable([flow(1), flow(2, { original: tuple(client, [192, 0, 2, 201]) }), flow(3)]);
    const deleted = deleteFrom(table, ({ original }) => original.destination[3] === 200);
    assert.equal(deleted, 2);
    assert.deepEqual(
      table.flows.map(({ id }) => id),
      [2],
    );
  });

  test("requests UDP only, and spares other protocols where the kernel does not filter", () => {
    const table = new TrackingTable([flow(1, { original: tuple(client, vip, { protocol: 6 }) }), flow(2)]);
    assert.equal(
      deleteFrom(table, () => true),
      1,
    );
    assert.equal(table.flows[0]?.id, 1);
    const request = new Attributes(table.requests[0]?.payload ?? new Uint8Array(), 4);
    assert.equal(request.nested(1)?.nested(2)?.u8(1), udp);
    assert.deepEqual([request.nested(25)?.u32(1), request.nested(25)?.u32(2)], [8, 0]);
  });

  test("requests TCP only where that is meant", () => {
    const connection = flow(1, {
      original: tuple(client, vip, { protocol: 6 }),
      reply: tuple(pod, client, { protocol: 6 }),
    });
    const table = new TrackingTable([connection, flow(2)]);
    assert.equal(
      deleteFrom(table, () => true, "IPv4", undefined, "tcp"),
      1,
    );
    assert.equal(table.flows[0]?.id, 2);
    const request = new Attributes(table.requests[0]?.payload ?? new Uint8Array(), 4);
    assert.equal(request.nested(1)?.nested(2)?.u8(1), 6);
  });

  test("tells connections that both sides have ended", () => {
    const connection = (id: number, timeWait: boolean) =>
      flow(id, {
        original: tuple(client, vip, { protocol: tcp, sourcePort: id }),
        reply: tuple(pod, client, { protocol: tcp }),
        timeWait,
      });
    const table = new TrackingTable([connection(1, false), connection(2, true), connection(3, false)]);
    assert.equal(
      deleteFrom(table, ({ timeWait }) => !timeWait, "IPv4", undefined, "tcp"),
      2,
    );
    assert.deepEqual(
      table.flows.map(({ id }) => id),
      [2],
    );
  });

  test("names the zone and the number of a flow", () => {
    const zones = { original: tuple(client, vip, { zone: 9 }), zone: 7 };
    const table = new TrackingTable([flow(1, zones)]);
    assert.equal(
      deleteFrom(table, () => true),
      1,
    );
    const request = new Attributes(table.requests.at(-1)?.payload ?? new Uint8Array(), 4);
    assert.equal(request.nested(1)?.u16Be(3), 9);
  });

  test("a flow that ends meanwhile is not an error, and a new one with its addresses is spared", () => {
    const table = new TrackingTable([flow(1)]);
    const deleted = deleteFrom(
      table,
      () => true,
      "IPv4",
      () => {
        table.flows[0] = flow(2);
      },
    );
    assert.equal(deleted, 0);
    assert.equal(table.flows[0]?.id, 2);
  });

  test("deletes thousands of flows of IPv6", () => {
    const address = (last: number) => [0x20, 1, 0xd, 0xb8, ...Array<number>(11).fill(0), last];
    const flows = Array.from({ length: 1234 }, (_, id) =>
      flow(id, {
        original: tuple(address(9), address(200), { sourcePort: id }),
        reply: tuple(address(2), address(9)),
      }),
    );
    const table = new TrackingTable(flows);
    assert.equal(
      deleteFrom(table, () => true, "IPv6"),
      1234,
    );
    assert.deepEqual(table.flows, []);
    // Family and version of the header.
    assert.deepEqual([...(table.requests.at(-1)?.payload.subarray(0, 2) ?? [])], [10, 1]);
  });

  test("a flow that the kernel refuses to delete keeps no other from being deleted, and is reported", () => {
    const flows = Array.from({ length: 250 }, (_, id) =>
      flow(id, { original: tuple(client, vip, { sourcePort: id }) }),
    );
    const table = new TrackingTable(flows);
    table.busy = new Set([3, 120]);
    assert.throws(() => deleteFrom(table, () => true), /refused to delete 2 of 250 flows: EBUSY/);
    assert.deepEqual(
      table.flows.map(({ id }) => id),
      [3, 120],
    );
  });

  test("remembers a bounded number of flows, and searches again for the others", () => {
    const flows = Array.from({ length: 20_001 }, (_, id) =>
      flow(id, { original: tuple(client, vip, { sourcePort: id % 65_536 }) }),
    );
    const table = new TrackingTable(flows);
    assert.equal(
      deleteFrom(table, () => true),
      20_001,
    );
    assert.equal(table.requests.filter(({ type }) => type === 0x0101).length, 2);
  });
});

test("a tuple in which something is missing is not a tuple", () => {
  const writer = new MessageWriter();
  writeTuple(writer, 1, tuple(client, vip));
  const complete = new Attributes(writer.toBytes()).nested(1);
  assert.ok(complete !== undefined && readTuple(complete) !== undefined);
  assert.equal(readTuple(new Attributes(new Uint8Array())), undefined);
  writer.clear();
  const ip = writer.beginNested(1);
  writer.bytes(1, Uint8Array.from(client));
  writer.endNested(ip);
  assert.equal(readTuple(new Attributes(writer.toBytes())), undefined);
});
