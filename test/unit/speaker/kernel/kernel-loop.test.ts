import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { KernelReport } from "../../../../speaker/kernel/commands.ts";
import { KernelLoop } from "../../../../speaker/kernel/kernel-loop.ts";
import { errnoNumbers } from "../../../../src/netlink/errno.ts";
import { MessageWriter } from "../../../../src/netlink/message-writer.ts";
import type { NetlinkMessage } from "../../../../src/netlink/messages.ts";
import { type FakeAnswer, FakeNetlinkSocket } from "../../../../src/netlink-socket/fake-netlink-socket.ts";
import type { TableContents } from "../../../../src/nft-netlink/table-contents.ts";

const table = { family: 2, name: "bellhop" };
const contents = (rules: number): TableContents => ({
  objects: 1,
  rules: new Map([["restrict", rules]]),
  elements: new Map(),
});

function datagram(
  type: number,
  sequence: number,
  portId: number,
  fill: (writer: MessageWriter) => void = () => undefined,
  family = 0,
): Uint8Array<ArrayBuffer> {
  const writer = new MessageWriter();
  const start = writer.beginMessage({ type, flags: 2, sequence });
  writer.raw(Uint8Array.of(family, 0, 0, 0));
  fill(writer);
  writer.endMessage(start);
  const bytes = writer.toBytes();
  new DataView(bytes.buffer).setUint32(12, portId, true);
  return bytes;
}

const batch = datagram(0x0a00, 1, 0);
new DataView(batch.buffer, batch.byteOffset).setUint16(6, 5, true);

/** The same with an attribute of as many bytes as a thousand elements have, three times. */
const largeBatch = datagram(0x0a00, 1, 0, (writer) => {
  for (let type = 1; type <= 3; type++) writer.bytes(type, new Uint8Array(50_000));
});
new DataView(largeBatch.buffer, largeBatch.byteOffset).setUint16(6, 5, true);

/** A base chain of the table `filter`: hooks and verdicts as in linux/netfilter.h. */
function chainOf(name: string, hook: number, policy: number): (writer: MessageWriter) => void {
  return (writer) => {
    writer.text(1, "filter");
    writer.text(3, name);
    const nested = writer.beginNested(4);
    writer.u32Be(1, hook);
    writer.u32Be(2, 0);
    writer.endNested(nested);
    writer.u32Be(5, policy);
  };
}

/** A kernel thread with a kernel in memory, which has one table with one chain. */
class LoopFixture {
  nowMs = 0;
  /** Rules in the kernel's chain; undefined: the table is not there. */
  rules: number | undefined;
  /** Its tables cannot be read. */
  unreadFamily: number | undefined;
  readonly waits: number[] = [];
  readonly reports: KernelReport[] = [];
  readonly #tableEvents: Uint8Array[] = [];
  readonly #routeEvents: Uint8Array[] = [];
  flowDatagrams = 3;
  routeFails = false;
  /** What follows the family in each message about a chain. */
  chains: readonly ((writer: MessageWriter) => void)[] = [];
  readonly writer = new FakeNetlinkSocket(() => {
    this.heard.push(this.tableEvents.listening);
    return { errno: this.writerErrno };
  });
  writerErrno = 0;
  readonly loop: KernelLoop;
  readonly tableEvents = this.#events(this.#tableEvents);
  /** For each batch whether commits were listened for meanwhile. */
  readonly heard: boolean[] = [];

  constructor() {
    const { writer } = this;
    this.loop = new KernelLoop({
      sockets: {
        writer,
        reader: new FakeNetlinkSocket((message) => this.#readTable(message)),
        conntrack: new FakeNetlinkSocket(({ type, sequence }) => ({
          datagrams: [
            ...Array.from({ length: this.flowDatagrams }, () => datagram(type - 1, sequence, 0)),
            datagram(3, sequence, 0),
          ],
        })),
        route: new FakeNetlinkSocket(({ sequence }) => ({
          datagrams: this.routeFails ? [] : [datagram(3, sequence, 0)],
        })),
        chains: new FakeNetlinkSocket(({ sequence }) => ({
          datagrams: [...this.chains.map((fill) => datagram(0x0a03, sequence, 0, fill, 2)), datagram(3, sequence, 0)],
        })),
        tableEvents: this.tableEvents,
        routeEvents: this.#events(this.#routeEvents),
      },
      now: () => this.nowMs,
      wait: (timeoutMs) => {
        this.waits.push(timeoutMs);
        if (this.#tableEvents.length + this.#routeEvents.length === 0) this.nowMs += timeoutMs;
      },
      report: (report) => this.reports.push(report),
    });
  }

  #events(waiting: Uint8Array[]) {
    return Object.assign(new FakeNetlinkSocket(), { receive: () => waiting.shift() ?? ("none" as const) });
  }

  #readTable({ type, sequence, payload }: NetlinkMessage): FakeAnswer {
    if (payload[0] === this.unreadFamily) return { errno: errnoNumbers.EINVAL };
    if (this.rules === undefined) return { errno: errnoNumbers.ENOENT };
    const { rules } = this;
    if (type === 0x0a01) return { datagrams: [datagram(0x0a00, sequence, 0, (writer) => writer.u32Be(3, 1))] };
    const rule = datagram(0x0a06, sequence, 0, (writer) => {
      writer.text(1, "bellhop");
      writer.text(2, "restrict");
    });
    const found = type === 0x0a07 ? Array.from({ length: rules }, () => rule) : [];
    return { datagrams: [...found, datagram(3, sequence, 0)] };
  }

  /** What comes before the commit of a transaction that has added an element to a set of the table (NFT_MSG_NEWSETELEM). */
  touch(name: string, portId = 99): void {
    this.#tableEvents.push(datagram(0x0a0c, 0, portId, (writer) => writer.text(1, name), table.family));
  }

  /** A commit of nftables, by another program unless it is ours. */
  commit(portId = 99): void {
    this.#tableEvents.push(datagram(0x0a0f, 0, portId));
  }

  networkEvent(): void {
    this.#routeEvents.push(datagram(16, 0, 0));
  }

  write(rules: number, bytes = batch, tables = [table]): void {
    this.loop.apply({
      kind: "write",
      id: 1,
      bytes,
      commandCount: 1,
      expected: tables.map((written) => ({ table: written, contents: contents(rules), replaced: false })),
    });
    if (this.writerErrno === 0) this.rules = rules;
  }

  /** Lets the thread run for so many milliseconds; returns what it reported. */
  run(durationMs: number): readonly KernelReport[] {
    const endMs = this.nowMs + durationMs;
    while (this.nowMs < endMs) this.loop.turn();
    return this.reports.splice(0);
  }
}

function kinds(reports: readonly KernelReport[]): readonly string[] {
  return reports.map(({ kind }) => kind);
}

describe("KernelLoop", () => {
  test("reads the network at the start, after events that came in a burst once, and every 30 s", () => {
    const fixture = new LoopFixture();
    assert.deepEqual(kinds(fixture.run(1000)), ["networkRead"]);
    for (let count = 0; count < 5; count++) fixture.networkEvent();
    assert.deepEqual(kinds(fixture.run(1000)), ["networkRead"]);
    assert.deepEqual(kinds(fixture.run(30_000)), ["networkRead"]);
  });

  test("reports the chains that drop forwarded packets when there are others than before, at most 30 s later", () => {
    const fixture = new LoopFixture();
    fixture.run(1000);
    fixture.chains = [chainOf("FORWARD", 2, 0), chainOf("forward_accept", 2, 1), chainOf("INPUT", 1, 0)];
    assert.deepEqual(
      fixture.run(31_000).filter(({ kind }) => kind === "chainsRead"),
      [{ kind: "chainsRead", chains: [{ family: "ip", table: "filter", chain: "FORWARD" }] }],
    );
    assert.ok(!kinds(fixture.run(31_000)).includes("chainsRead"));
    fixture.chains = [];
    assert.ok(kinds(fixture.run(31_000)).includes("chainsRead"));
  });

  test("a reading that fails is tried again every second, and reported", () => {
    const fixture = new LoopFixture();
    fixture.routeFails = true;
    const failures = kinds(fixture.run(10_000));
    assert.ok(failures.length >= 5 && failures.length <= 11, `${failures.length} readings`);
    assert.ok(failures.every((kind) => kind === "networkFailed"));
    fixture.routeFails = false;
    assert.deepEqual(kinds(fixture.run(2000)), ["networkRead"]);
  });

  test("reports once that another program has changed a table, and again after the next write", () => {
    const fixture = new LoopFixture();
    fixture.write(2);
    fixture.run(1000);
    fixture.rules = 1;
    fixture.commit();
    const reports = fixture.run(500);
    assert.deepEqual(reports, [{ kind: "tableChanged", table, difference: "chain restrict has 1 rules instead of 2" }]);
    fixture.commit();
    assert.deepEqual(fixture.run(500), []);
    fixture.write(2);
    fixture.rules = undefined;
    fixture.commit();
    assert.deepEqual(kinds(fixture.run(500)), ["written", "tableChanged"]);
  });

  test("reports a changed table at once, and only once, although another one cannot be read for a while", () => {
    const fixture = new LoopFixture();
    const other = { family: 10, name: "bellhop" };
    fixture.write(2, batch, [table, other]);
    fixture.run(1000);
    fixture.rules = undefined;
    fixture.unreadFamily = other.family;
    fixture.commit();
    const difference = "the table is gone";
    assert.deepEqual(fixture.run(500), [{ kind: "tableChanged", table, difference }]);
    fixture.unreadFamily = undefined;
    assert.deepEqual(fixture.run(2000), [{ kind: "tableChanged", table: other, difference }]);
  });

  test("reports a table in which another program has put one element in place of another", () => {
    const fixture = new LoopFixture();
    fixture.write(2);
    fixture.run(1000);
    fixture.touch("other");
    fixture.commit();
    fixture.touch("bellhop", fixture.writer.portId);
    fixture.commit(fixture.writer.portId);
    assert.deepEqual(fixture.run(500), []);
    fixture.touch("bellhop");
    // A write in between that does not make the table anew does not hide it.
    fixture.loop.turn();
    fixture.write(2);
    fixture.commit();
    const difference = "another program has written to the table";
    const changed = { kind: "tableChanged", table, difference } as const;
    assert.deepEqual(fixture.run(500).slice(1), [changed]);
    fixture.commit();
    assert.deepEqual(fixture.run(500), []);
  });

  test("neither its own commits, nor those of others to other tables, are reported", () => {
    const fixture = new LoopFixture();
    fixture.write(2);
    fixture.run(1000);
    fixture.rules = 1;
    fixture.commit(fixture.writer.portId);
    assert.deepEqual(fixture.run(500), []);
    fixture.rules = 2;
    fixture.commit();
    assert.deepEqual(fixture.run(500), []);
  });

  test("commits of others are listened for during a small batch, and after a large one the tables are checked instead", () => {
    const fixture = new LoopFixture();
    fixture.write(2);
    fixture.run(1000);
    const sent = largeBatch.slice();
    fixture.write(2, sent);
    // Its memory does not wait for V8.
    assert.equal(sent.buffer.detached, true);
    fixture.rules = 1;
    assert.deepEqual(fixture.heard, [true, false]);
    assert.equal(fixture.tableEvents.listening, true);
    assert.deepEqual(kinds(fixture.run(500)), ["written", "tableChanged"]);
  });

  test("a refused batch leaves what is expected as it was", () => {
    const fixture = new LoopFixture();
    fixture.write(2);
    fixture.writerErrno = errnoNumbers.EINVAL;
    fixture.write(3);
    fixture.commit();
    assert.deepEqual(kinds(fixture.run(1000)), ["written", "written", "networkRead"]);
  });

  test("a batch is written between two steps of a search for flows", () => {
    const fixture = new LoopFixture();
    fixture.run(1000);
    fixture.flowDatagrams = 1000;
    fixture.loop.apply({ kind: "deleteFlows", id: 7, family: "IPv4", rules: [] });
    const advance = fixture.loop;
    // Time passes with every look at the clock, so that a slice ends.
    let looks = 0;
    Object.defineProperty(fixture, "nowMs", { get: () => 10_000 + looks++, set: () => undefined });
    advance.turn();
    fixture.write(2);
    while (!fixture.reports.some(({ kind }) => kind === "flowsDeleted")) advance.turn();
    assert.deepEqual(kinds(fixture.reports), ["written", "flowsDeleted"]);
    assert.deepEqual(fixture.reports.at(-1), { kind: "flowsDeleted", id: 7, result: 0 });
  });

  test("connections to dead endpoints are searched for among those of TCP and of UDP", () => {
    const fixture = new LoopFixture();
    fixture.run(1000);
    const dead = { destinations: new Set(["192.0.2.200"]), endpoints: new Set(["10.244.1.2"]) };
    fixture.loop.apply({ kind: "deleteDead", id: 8, family: "IPv4", dead });
    assert.deepEqual(fixture.run(100), [{ kind: "flowsDeleted", id: 8, result: 0 }]);
  });

  test("sleeps while there is nothing to do", () => {
    const fixture = new LoopFixture();
    fixture.run(1000);
    fixture.waits.length = 0;
    fixture.run(10_000);
    assert.ok(fixture.waits.length <= 10, `${fixture.waits.length} turns`);
  });

  test("stops after the request to stop", () => {
    const fixture = new LoopFixture();
    fixture.loop.apply({ kind: "stop" });
    assert.equal(fixture.loop.stopped, true);
  });
});
