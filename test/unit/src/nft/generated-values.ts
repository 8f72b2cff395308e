import fc from "fast-check";
import { parseAddress } from "../../../../src/ip/address.ts";
import { addressData, type Data, interfaceData, numberData, portData, protocolData } from "../../../../src/nft/data.ts";
import type { DataType } from "../../../../src/nft/data-type.ts";
import type { TracedPacket } from "../../../../src/nft/traced-packet.ts";
import type { NftIpFamily } from "../../../../src/nft/transaction.ts";

/** Few values of each type, so that packets match often. */
const texts = {
  ip: ["192.0.2.99", "192.0.2.200", "10.244.1.2", "10.0.0.1"],
  ip6: ["2001:db8::99", "2001:db8::200", "fd01::2", "fd00::1"],
} as const;
export const ports = [53, 80, 8080, 40_000] as const;
const hopLimits = [5, 8, 9, 64] as const;
export const marks = [0, 1, 0x10, 0x4010] as const;
const interfaces = ["eth0", "eth1"] as const;

function valuesOf(type: DataType): readonly Data[] {
  switch (type) {
    case "ipv4_addr":
    case "ipv6_addr":
      return texts[type === "ipv4_addr" ? "ip" : "ip6"].flatMap((text) => {
        const address = parseAddress(text);
        return address === undefined ? [] : [addressData(address)];
      });
    case "inet_service":
      return ports.map(portData);
    case "hop_limit":
      return hopLimits.map((value) => numberData(type, value));
    case "inet_proto":
      return [protocolData("tcp"), protocolData("udp")];
    case "ifname":
      return interfaces.map(interfaceData);
    case "ct_state":
      return [2, 8].map((value) => numberData(type, value));
    case "ct_dir":
      return [0, 1].map((value) => numberData(type, value));
    case "tcp_flag":
      return [2, 16].map((value) => numberData(type, value));
    default:
      return marks.map((value) => numberData(type, value));
  }
}

export function pick<Value>(values: readonly Value[]): fc.Arbitrary<Value> {
  return fc.constantFrom(...values);
}

export function someValue(type: DataType): fc.Arbitrary<Data> {
  return pick(valuesOf(type));
}

export function somePacket(family: NftIpFamily): fc.Arbitrary<TracedPacket> {
  return fc.record({
    iifname: pick(interfaces),
    saddr: pick(texts[family]),
    daddr: pick(texts[family]),
    l4proto: pick(["tcp", "udp"]),
    sport: pick(ports),
    dport: pick(ports),
    mark: pick(marks),
    syn: fc.boolean(),
    hopLimit: pick(hopLimits),
  });
}
