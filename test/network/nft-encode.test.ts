import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { encodeTransaction } from "../../src/nft/encode/transaction.ts";
import { printTransaction } from "../../src/nft/print.ts";
import type { NftCommand } from "../../src/nft/transaction.ts";
import { endpoint, FakeNode, port, service, slice } from "../unit/speaker/dataplane/fake-node.ts";
import type { KernelTable } from "./kernel-table.ts";
import { Namespace, skipReason } from "./namespace.ts";
import { fetchNft } from "./nft-versions.ts";
import { Program } from "./program.ts";
import { sampleNetdevTable, sampleTable } from "./sample-rules.ts";

/** Everything that the speaker writes for Services of every kind: each table as a whole. */
async function productTables(): Promise<Readonly<Record<"ip" | "ip6", readonly NftCommand[]>>> {
  const node = new FakeNode();
  const endpoints = [endpoint("10.244.1.2"), endpoint("10.244.2.2", "n2")];
  const endpoints6 = [endpoint("fd01::2"), endpoint("fd02::2", "n2")];
  const protocols = [
    { name: "", protocol: "TCP", port: 8080 },
    { name: "dns", protocol: "UDP", port: 5353 },
  ] as const;
  const slices = [
    slice(endpoints, { ports: protocols }),
    slice(endpoints6, { ports: protocols, key: "default/web-6" }),
  ];
  const toPods = [port({ nodePort: 0 }), port({ name: "dns", protocol: "UDP", port: 53, nodePort: 0 })];
  const sourceRanges = ["10.0.0.0/8", "192.0.2.64/26", "2001:db8::/32", "fd00::1/128"];
  await node.put(service({ ports: toPods, sourceRanges }), slices, ["192.0.2.200", "2001:db8::200"]);
  await node.put(service({ key: "default/a", ports: toPods, affinityTimeoutSeconds: 10 }), slices, [
    "192.0.2.201",
    "2001:db8::201",
  ]);
  await node.put(service({ key: "default/b" }), slices, ["192.0.2.202", "2001:db8::202"]);
  await node.put(service({ key: "default/c" }), [], ["192.0.2.203", "2001:db8::203"]);
  node.dataplane.invalidate();
  await node.put(service({ key: "default/none" }), [], []);
  const whole = (family: "ip" | "ip6") =>
    node.nft.accepted.findLast(({ commands }) => commands[0]?.table.family === family)?.commands ?? [];
  return { ip: whole("ip"), ip6: whole("ip6") };
}

/** nft(8) before 1.1 writes some expressions otherwise. Which release changed it was not looked up. */
function asNewer(expressions: readonly string[]): readonly string[] {
  return (
    expressions
      // The checksum of UDP: a datagram without one gets a wrong one.
      .map((text) =>
        text.replace(
          /^(payload 5=\S+ 2=00000002 3=\S+ 4=00000002) 6=00000001 7=00000006 8=00000000$/,
          "$1 6=00000000 7=00000000 8=00000001",
        ),
      )
      // One byte in network order is the same byte.
      .filter((text) => !/^byteorder .* 4=00000001 5=00000002$/.test(text))
  );
}

/** Expressions that read a second register, and where they name it. */
const secondRegisters = [/^hash 1=r(\d+)/, /^dynset .* 5=r(\d+)/, /^dup 1=\S+ 2=r(\d+)/];

/** The second value begins at the next block of 16 bytes in nft(8), and directly behind the first one in ours. */
function withoutGaps(expressions: readonly string[]): readonly string[] {
  const last = expressions.findIndex((text) => secondRegisters.some((pattern) => pattern.test(text)));
  if (last < 0) return expressions;
  const [slot] = secondRegisters.flatMap((pattern) => pattern.exec(expressions[last] ?? "")?.[1] ?? []).map(Number);
  const rename = (whole: string, digits: string) =>
    slot !== undefined && Number(digits) >= slot ? `=second${Number(digits) - slot}` : whole;
  return expressions.map((text, index) => (index <= last ? text.replaceAll(/=r(\d+)\b/g, rename) : text));
}

/**
 * Entries by type. nft(8) also notes that data are no ranges (6), and kinds of expressions (3 and 4) where the types alone say all: nft 1.0.6
 * crashes on what nft 1.1 writes there.
 */
function userdataOf(text: string, ours: Readonly<Record<number, string>> = {}): Readonly<Record<number, string>> {
  const bytes = Buffer.from(text, "hex");
  const entries: Record<number, string> = {};
  for (let at = 0; at < bytes.length; at += 2 + (bytes[at + 1] ?? 0)) {
    const type = bytes[at] ?? 0;
    const value = bytes.subarray(at + 2, at + 2 + (bytes[at + 1] ?? 0)).toString("hex");
    if ((type === 6 && value === "00000000") || ([3, 4].includes(type) && ours[type] === undefined)) continue;
    entries[type] = value;
  }
  return entries;
}

/** nft(8) also writes that nothing below the first range belongs to a set, and marks a range that reaches up to the last value. */
function plainElements(elements: readonly string[]): readonly string[] {
  return elements
    .filter((text) => !/^(?:0c00010008000100(?:00){4}|1800010014000100(?:00){16})0800030000000001$/.test(text))
    .map((text) => text.replace(/0a0006000104010000000000$/, ""));
}

/** What is compared. `ours`: the same table as we write it. `older`: written by an nft(8) before 1.1. */
function comparable(table: KernelTable, ours: KernelTable, older: boolean): unknown {
  const rules = Object.entries(table.rules).map(([chain, list]) => [
    chain,
    list.map((rule) => withoutGaps(older ? asNewer(rule) : rule)),
  ]);
  const sets = Object.entries(table.sets).map(([name, { declaration, userdata, elements }]) => {
    const known = userdataOf(ours.sets[name]?.userdata ?? "", { 3: "", 4: "" });
    return [name, { declaration, userdata: userdataOf(userdata, known), elements: plainElements(elements) }];
  });
  return { chains: table.chains, rules: Object.fromEntries(rules), sets: Object.fromEntries(sets) };
}

const skip = skipReason();
describe("what we encode is what nft(8) makes of what we print", { skip: skip ?? false }, () => {
  let namespace: Namespace;
  let kernel: Program;
  let tables: readonly (readonly [name: string, commands: readonly NftCommand[]])[] = [];
  before(async () => {
    const product = await productTables();
    tables = [
      ["ip bellhop", product.ip],
      ["ip6 bellhop", product.ip6],
      ["ip sample", sampleTable("ip")],
      ["ip6 sample", sampleTable("ip6")],
      ["netdev sample", sampleNetdevTable()],
    ];
    namespace = await Namespace.create("nft-encode");
    await namespace.sh("ip link add eth1 type veth peer name eth2");
    kernel = new Program(namespace, "nftables-process.ts", []);
    await kernel.line();
  });
  after(() => {
    kernel?.kill();
    namespace?.destroy();
  });

  /** Runs the commands by netlink, in a table of another name. */
  async function write(commands: readonly NftCommand[], name: string): Promise<void> {
    const { bytes } = encodeTransaction({ commands: renamed(commands, name) });
    const batch = Buffer.from(bytes).toString("base64");
    assert.deepEqual(JSON.parse(await kernel.say(JSON.stringify({ batch }))), []);
  }

  async function read(commands: readonly NftCommand[], name: string): Promise<KernelTable> {
    const family = commands[0]?.table.family;
    return JSON.parse(await kernel.say(JSON.stringify({ family, table: name })));
  }

  async function check(nft: readonly string[], older: boolean): Promise<void> {
    for (const [name, commands] of tables) {
      assert.ok(commands.length > 5, name);
      await run(namespace, [...nft, "-f", "-"], printTransaction({ commands: renamed(commands, "text") }));
      await write(commands, "netlink");
      const [ours, theirs] = [await read(commands, "netlink"), await read(commands, "text")];
      assert.deepEqual(comparable(ours, ours, false), comparable(theirs, ours, older), name);
      const { family = "ip" } = commands[0]?.table ?? {};
      for (const table of ["text", "netlink"]) await run(namespace, [...nft, "delete", "table", family, table]);
    }
  }

  test("of this machine", async () => {
    const version = /v(\S+)/.exec(await run(namespace, ["nft", "--version"]))?.[1] ?? "";
    await check(["nft"], /^(?:0\.|1\.0\.)/.test(version));
  });

  for (const suite of ["trixie", "sid"]) {
    test(`of Debian ${suite}, which also lists and changes our tables`, async (context) => {
      const nft = await fetchNft(suite).catch((error: Error) => error);
      if (nft instanceof Error) {
        context.skip(`NOT RUN: the packages of Debian ${suite} cannot be fetched: ${nft.message}`);
        return;
      }
      await check(nft.command, false);
    });
  }
});

function renamed(commands: readonly NftCommand[], name: string): readonly NftCommand[] {
  return commands.map((command) => ({ ...command, table: { family: command.table.family, name } }));
}

/** Runs a program in the namespace, and returns what it prints. */
function run(namespace: Namespace, argv: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = namespace.spawn(argv, { stdio: ["pipe", "pipe", "pipe"] });
    let [output, complaint] = ["", ""];
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      complaint += text;
    });
    child.on("close", (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${argv.join(" ")} ended with ${code ?? signal}: ${complaint}`));
    });
    // A program that ends before it has read everything closes the pipe; its exit code says why.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}
