import { parseAddress } from "../../src/ip/address.ts";
import {
  addressData,
  concatenate,
  ctStates,
  type Data,
  etherTypes,
  interfaceData,
  interfaceTypes,
  numberData,
  portData,
  protocolData,
  tcpFlags,
} from "../../src/nft/data.ts";
import { concatenation, constant, type Expression, field, typeOf } from "../../src/nft/expression.ts";
import type { FieldName } from "../../src/nft/field.ts";
import type { NftSet } from "../../src/nft/set.ts";
import type { NftRule, Statement } from "../../src/nft/statement.ts";
import type { BaseChain, NftAction, NftCommand, NftIpFamily } from "../../src/nft/transaction.ts";
import type { Verdict } from "../../src/nft/verdict.ts";

const lo = { name: "lo", index: 1 };

const address = (text: string): Data => {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(text);
  return addressData(parsed);
};
const number = (name: FieldName, value: number): Data => numberData(typeOf(field(name)), value);
const is = (name: FieldName, right: Data): Statement => ({ kind: "match", left: field(name), operator: "==", right });
const any = (name: FieldName, bits: number): Statement => ({
  kind: "match",
  left: field(name),
  operator: "any",
  right: number(name, bits),
});
const verdict = (to: Verdict): Statement => ({ kind: "verdict", verdict: to });
const put = (name: FieldName, to: Expression): Statement => ({ kind: "set", field: name, to });
const filter = (hook: BaseChain["hook"], priority: number): BaseChain => ({ type: "filter", hook, priority });
const nat = (hook: BaseChain["hook"], priority: number): BaseChain => ({ type: "nat", hook, priority });

function chain(name: string, base: BaseChain | undefined, ...rules: readonly NftRule[]): readonly NftAction[] {
  return [
    base === undefined ? { kind: "addChain", chain: name } : { kind: "addChain", chain: name, base },
    ...rules.map((rule): NftAction => ({ kind: "addRule", chain: name, rule })),
  ];
}

/** Rules, sets and elements of every kind that the model has, also those that no table of Bellhop has yet. */
export function sampleTable(family: NftIpFamily): readonly NftCommand[] {
  const v4 = family === "ip";
  const type = v4 ? "ipv4_addr" : "ipv6_addr";
  const [pod, first, last, next] = v4
    ? (["10.244.1.2", "10.0.0.0", "10.0.0.9", "192.0.2.12"] as const)
    : (["fd01::2", "fd00::", "fd00::9", "2001:db8::12"] as const);
  const networks: NftSet = { name: "networks", key: [type], interval: true, comment: "of clients" };
  const slots: NftSet = {
    name: "slots",
    key: ["inet_service", "integer"],
    data: "verdict",
    typeof: { key: ["th dport", "numgen random mod 2"] },
  };
  const affinity: NftSet = {
    name: "affinity",
    key: [type],
    // nft 1.0.6 aborts when a rule fills a map of IPv6 addresses and ports.
    data: v4 ? [type, "inet_service"] : [type],
    dynamic: true,
    timeoutMs: 10_800_000,
    size: 65_535,
  };
  const seen: NftSet = { name: "seen", key: [type], dynamic: true, timeoutMs: 1500, size: 100 };
  const slot = (index: number) => concatenate([portData(80), numberData("integer", index)]);
  const hash: Expression = {
    kind: "jhash",
    of: concatenation(`${family} saddr`, "th sport"),
    modulus: 251,
    seed: 0x1234_5678,
    offset: 502,
  };
  const client = concatenation(`${family} saddr`);
  const echo = v4 ? is("icmp type", number("icmp type", 8)) : is("icmpv6 type", number("icmpv6 type", 128));
  const control: Expression = {
    kind: "bitwise",
    of: field("tcp flags"),
    operator: "&",
    bits: tcpFlags.fin | tcpFlags.rst,
  };
  const marked: Expression = { kind: "bitwise", of: field("meta mark"), operator: "|", bits: 0x4000 };
  const hops = v4 ? "ip ttl" : "ip6 hoplimit";
  const limit = (operator: "<=" | ">", value: number): Statement => ({
    kind: "match",
    left: field(hops),
    operator,
    right: number(hops, value),
  });
  const learned = concatenation(`ct original ${family} saddr`);
  const actions: readonly NftAction[] = [
    ...[networks, slots, affinity, seen].map((set): NftAction => ({ kind: "addSet", set })),
    ...chain("other", undefined, [{ kind: "counter" }, verdict({ kind: "return" })]),
    {
      kind: "addElements",
      set: networks,
      elements: [
        { key: address(first), keyEnd: address(last) },
        { key: address(next) },
        { key: v4 ? "\xff\xff\xff\0" : `\xff${"\0".repeat(15)}`, keyEnd: "\xff".repeat(v4 ? 4 : 16) },
      ],
    },
    {
      kind: "addElements",
      set: slots,
      elements: [
        { key: slot(502), data: { kind: "goto", chain: "other" } },
        { key: slot(503), data: { kind: "accept" } },
        { key: slot(504), data: { kind: "jump", chain: "other" } },
        { key: slot(505), data: { kind: "drop" } },
      ],
    },
    ...chain(
      "raw",
      filter("prerouting", -300),
      [{ kind: "lookup", key: [field(`${family} saddr`)], operator: "not in", set: networks }, { kind: "notrack" }],
      [is("iifname", interfaceData("eth0")), put("ct original zone", constant("ct_zone", numberData("ct_zone", 7)))],
      [any("ct state", ctStates.new | ctStates.invalid), { kind: "vmap", key: [field("th dport"), hash], map: slots }],
      [{ kind: "vmap", key: [field("th dport"), { kind: "numgen", modulus: 251 }], map: slots }],
    ),
    ...chain(
      "early",
      filter("prerouting", -150),
      [any("meta mark", 0x10), put("meta mark", marked), put("ct mark", field("meta mark"))],
      [is("ether saddr", "\x02\0\0\0\0\x01"), { kind: "dup", device: lo, to: constant(type, address(next)) }],
      [limit(">", 8), put(hops, constant("hop_limit", number(hops, 9))), verdict({ kind: "return" })],
      [limit("<=", 5), put("meta priority", constant("classid", numberData("classid", 0xbe11_0001)))],
      [
        is("meta priority", numberData("classid", 0xbe11_0001)),
        put("meta priority", constant("classid", numberData("classid", 0))),
      ],
      [
        { kind: "match", left: control, operator: "!=", right: numberData("tcp_flag", 0) },
        verdict({ kind: "jump", chain: "other" }),
      ],
      [
        is(`${family} daddr`, address(pod)),
        { kind: "update", set: seen, key: [field(`${family} saddr`)], timeoutMs: 5000 },
      ],
      [
        is("meta l4proto", protocolData("udp")),
        is("udp dport", portData(53)),
        verdict({ kind: "goto", chain: "other" }),
      ],
      [{ kind: "reject", with: "tcp reset" }],
      [echo, { kind: "reject", with: "port-unreachable" }],
    ),
    ...chain(
      "translate",
      nat("prerouting", -110),
      [is("meta l4proto", protocolData("tcp")), { kind: "dnat", to: { kind: "map", key: client, map: affinity } }],
      [is("tcp dport", portData(80)), { kind: "dnat", to: constant(type, address(pod)) }],
    ),
    ...chain(
      "learn",
      filter("postrouting", 200),
      [
        {
          kind: "update",
          set: affinity,
          key: learned,
          data: v4 ? concatenation("ip daddr", "th dport") : concatenation("ip6 daddr"),
        },
      ],
      [is("oifname", interfaceData("eth0")), put(`${family} saddr`, constant(type, address(next)))],
    ),
    ...chain("masquerading", nat("postrouting", 90), [
      any("ct status", 0x20),
      { kind: "masquerade", fullyRandom: false },
    ]),
  ];
  const table = { family, name: "sample" };
  return [{ table, kind: "addTable" }, ...actions.map((action) => ({ table, ...action }))];
}

/** Rules that the kernel takes and every nft lists, and that nft 1.0.6 cannot load: it has too few registers for them, or no syntax. */
export function unloadableTable(family: NftIpFamily): readonly NftCommand[] {
  const type = family === "ip" ? "ipv4_addr" : "ipv6_addr";
  const affinity: NftSet = {
    name: "affinity",
    key: [type, type, "inet_proto", "inet_service"],
    data: [type, "inet_service"],
    dynamic: true,
    timeoutMs: 10_800_000,
    size: 65_535,
  };
  const address = `ct original ${family} daddr` as const;
  const key = concatenation(`${family} saddr`, address, "meta l4proto", "ct original proto-dst");
  const learn: Statement = { kind: "update", set: affinity, key, data: concatenation(`${family} daddr`, "th dport") };
  const actions: readonly NftAction[] = [
    { kind: "addTable" },
    { kind: "addSet", set: affinity },
    ...chain("learn", filter("postrouting", 200), [learn]),
  ];
  return actions.map((action) => ({ table: { family, name: "unloadable" }, ...action }));
}

/** Samples of netdev, which hangs on a device. */
export function sampleNetdevTable(): readonly NftCommand[] {
  const peers: NftSet = { name: "peers", key: ["ether_addr"] };
  const macs: NftSet = { name: "macs", key: ["ipv4_addr"], data: ["ether_addr"] };
  const mac = "\x02\0\0\0\0\x03";
  const actions: readonly NftAction[] = [
    { kind: "addSet", set: peers },
    { kind: "addSet", set: macs },
    { kind: "addElements", set: peers, elements: [{ key: mac }] },
    { kind: "addElements", set: macs, elements: [{ key: address("192.0.2.12"), data: mac }] },
    ...chain(
      "lan",
      { type: "filter", hook: "ingress", priority: 0, devices: ["lo"] },
      [{ kind: "lookup", key: [field("ether saddr")], operator: "in", set: peers }, verdict({ kind: "accept" })],
      [is("meta protocol", number("meta protocol", etherTypes.arp)), { kind: "dup", device: lo }],
      [
        is("meta iiftype", number("meta iiftype", interfaceTypes.ether)),
        is("meta protocol", number("meta protocol", etherTypes.ip)),
        put("ether daddr", { kind: "map", key: [field("ip daddr")], map: macs }),
        put("ether saddr", constant("ether_addr", mac)),
        { kind: "fwd", device: lo },
      ],
    ),
    ...chain("both", { type: "filter", hook: "ingress", priority: 10, devices: ["eth1", "lo"] }),
  ];
  const table = { family: "netdev", name: "sample" } as const;
  return [{ table, kind: "addTable" }, ...actions.map((action) => ({ table, ...action }))];
}
