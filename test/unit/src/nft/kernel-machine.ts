import { formatAddress, parseAddress } from "../../../../src/ip/address.ts";
import { Attributes } from "../../../../src/netlink/attributes.ts";
import { readMessages } from "../../../../src/netlink/messages.ts";
import { netfilterHeaderLength } from "../../../../src/netlink/netfilter.ts";
import {
  addressData,
  type Data,
  dataAddress,
  interfaceData,
  numberData,
  protocolData,
} from "../../../../src/nft/data.ts";
import { jhash } from "../../../../src/nft/jhash.ts";
import type { TracedPacket } from "../../../../src/nft/traced-packet.ts";

/** The end of a packet in the machine. */
export interface MachineOutcome {
  readonly end: "passed" | "dropped" | "reset" | "unreachable";
  readonly saddr: string;
  readonly daddr: string;
  readonly sport: number;
  readonly dport: number;
  readonly hopLimit: number;
  readonly mark: number;
  readonly ctMark: number;
  readonly translated: boolean;
}

interface Element {
  readonly key: Data;
  readonly keyEnd: Data | undefined;
  readonly intervalEnd: boolean;
  readonly data: Data | undefined;
  readonly verdict: Verdict | undefined;
}

interface Verdict {
  readonly code: number;
  readonly chain: string;
}

interface MachineSet {
  readonly interval: boolean;
  /** Of each part, without padding; one for a plain key. */
  readonly lengths: readonly number[];
  readonly elements: Element[];
}

function dataOf(bytes: Uint8Array | undefined): Data {
  return Buffer.from(bytes ?? []).toString("latin1");
}

/**
 * The kernel's machine of nf_tables, as far as our rules need it: reads an encoded batch, and runs the expressions of a chain on the bytes of a
 * packet. Knows nothing of the model: bytes, registers and numbers of linux/netfilter/nf_tables.h only.
 */
export class KernelMachine {
  readonly #rules = new Map<string, Attributes[][]>();
  readonly #sets = new Map<string, MachineSet>();

  constructor(batch: Uint8Array) {
    for (const { type, payload } of readMessages(batch)) {
      const attributes = new Attributes(payload, netfilterHeaderLength);
      const message = type & 0xff;
      if (type >> 8 !== 10) continue;
      if (message === 6) {
        const expressions = [...(attributes.nested(4) ?? [])].map(({ nested }) => nested());
        const chain = attributes.text(2) ?? "";
        this.#rules.set(chain, [...(this.#rules.get(chain) ?? []), expressions]);
      } else if (message === 9) {
        const fields = [...(attributes.nested(9)?.nested(2) ?? [])].map(({ nested }) => nested().u32Be(1) ?? 0);
        const lengths = fields.length > 0 ? fields : [attributes.u32Be(5) ?? 0];
        const interval = ((attributes.u32Be(3) ?? 0) & 4) !== 0;
        this.#sets.set(attributes.text(2) ?? "", { interval, lengths, elements: [] });
      } else if (message === 12) {
        const { elements } = this.#set(attributes.text(2));
        for (const { nested } of attributes.nested(3) ?? []) elements.push(readElement(nested()));
      }
    }
  }

  #set(name: string | undefined): MachineSet {
    const set = this.#sets.get(name ?? "");
    if (set === undefined) throw new Error(`no set ${name}`);
    return set;
  }

  run(chain: string, packet: TracedPacket, random: () => number): MachineOutcome {
    const state = new MachineState(packet, random);
    const code = this.#runChain(chain, state);
    const end = code === "reset" || code === "unreachable" ? code : code === 0 ? "dropped" : "passed";
    return { end, ...state.outcome() };
  }

  /** Returns the verdict that ended it; undefined: it came to its end. */
  #runChain(chain: string, state: MachineState): number | "reset" | "unreachable" | undefined {
    for (const rule of this.#rules.get(chain) ?? []) {
      state.verdict = undefined;
      for (const expression of rule) {
        const going = this.#execute(expression, state);
        if (!going || state.verdict !== undefined) break;
      }
      const verdict = state.verdict as Verdict | "reset" | "unreachable" | undefined;
      if (verdict === undefined) continue;
      if (typeof verdict === "string") return verdict;
      if (verdict.code === -3 || verdict.code === -4) {
        const inner = this.#runChain(verdict.chain, state);
        if (inner !== undefined && inner !== -5) return inner;
        if (verdict.code === -4) return undefined;
      } else return verdict.code;
    }
    return undefined;
  }

  /** False: the rule does not match (NFT_BREAK). */
  #execute(expression: Attributes, state: MachineState): boolean {
    const name = expression.text(1);
    const data = expression.nested(2);
    if (data === undefined) throw new Error("an expression without data");
    const number = (type: number) => data.u32Be(type) ?? 0;
    switch (name) {
      case "payload":
        state.payload(data);
        return true;
      case "meta":
        return state.meta(number(2), data);
      case "ct":
        state.ct(number(2), data);
        return true;
      case "cmp": {
        const value = dataOf(data.nested(3)?.bytes(1));
        const found = state.read(number(1), value.length);
        return [found === value, found !== value, found < value, found <= value, found > value][number(2)] === true;
      }
      case "bitwise": {
        const value = Buffer.from(state.read(number(1), number(3)), "latin1");
        const [mask, xor] = [data.nested(4)?.bytes(1), data.nested(5)?.bytes(1)];
        const result = value.map((byte, index) => (byte & (mask?.[index] ?? 0)) ^ (xor?.[index] ?? 0));
        state.write(number(2), dataOf(result));
        return true;
      }
      case "immediate": {
        const constant = data.nested(2);
        const verdict = constant?.nested(2);
        if (verdict === undefined) state.write(number(1), dataOf(constant?.bytes(1)));
        else state.verdict = readVerdict(verdict);
        return true;
      }
      case "lookup": {
        const found = lookUp(this.#set(data.text(1)), (length) => state.read(number(2), length));
        if (!data.has(3)) return (found !== undefined) === (number(5) === 0);
        if (found === undefined) return false;
        if (found.verdict !== undefined) state.verdict = found.verdict;
        else state.write(number(3), found.data ?? "");
        return true;
      }
      case "numgen":
        state.write(number(1), numberData("integer", Math.floor(state.random() * number(2)) + number(4)));
        return true;
      case "hash": {
        const bytes = state.read(number(1), number(3));
        state.write(number(2), numberData("integer", jhash(bytes, number(5), number(4)) + number(6)));
        return true;
      }
      case "nat":
        state.translate(number(2), number(3), data.has(5) ? number(5) : undefined);
        state.verdict = { code: 1, chain: "" };
        return true;
      case "reject":
        state.verdict = number(1) === 1 ? "reset" : "unreachable";
        return true;
      case "counter":
        return true;
      default:
        throw new Error(`no expression ${name}`);
    }
  }
}

function readVerdict(verdict: Attributes): Verdict {
  return { code: (verdict.u32Be(1) ?? 0) | 0, chain: verdict.text(2) ?? "" };
}

function readElement(element: Attributes): Element {
  const data = element.nested(2);
  const verdict = data?.nested(2);
  return {
    key: dataOf(element.nested(1)?.bytes(1)),
    keyEnd: element.has(10) ? dataOf(element.nested(10)?.bytes(1)) : undefined,
    intervalEnd: element.u32Be(3) === 1,
    data: data?.has(1) === true ? dataOf(data.bytes(1)) : undefined,
    verdict: verdict === undefined ? undefined : readVerdict(verdict),
  };
}

function lookUp({ interval, lengths, elements }: MachineSet, read: (length: number) => Data): Element | undefined {
  const padded = lengths.length > 1 ? lengths.reduce((sum, length) => sum + Math.ceil(length / 4) * 4, 0) : lengths[0];
  const key = read(padded ?? 0);
  if (!interval) return elements.find((element) => element.key === key);
  if (lengths.length === 1) {
    // The last boundary that is not above the key: a start, or an end.
    const [boundary] = elements
      .filter((element) => element.key <= key)
      .sort((left, right) => (left.key < right.key ? 1 : -1));
    return boundary?.intervalEnd === true ? undefined : boundary;
  }
  return elements.find((element) => {
    let start = 0;
    return lengths.every((length) => {
      const part = (data: Data) => data.slice(start, start + length);
      const within = part(element.key) <= part(key) && part(key) <= part(element.keyEnd ?? element.key);
      start += Math.ceil(length / 4) * 4;
      return within;
    });
  });
}

/** A packet with its headers in bytes, and the registers. */
class MachineState {
  verdict: Verdict | "reset" | "unreachable" | undefined;
  readonly random: () => number;
  readonly #packet: TracedPacket;
  readonly #registers = Buffer.alloc(64);
  readonly #v4: boolean;
  readonly #network: Buffer;
  readonly #transport = Buffer.alloc(20);
  readonly #original: Data;
  #mark: number;
  #ctMark = 0;
  #translated = false;

  constructor(packet: TracedPacket, random: () => number) {
    this.#packet = packet;
    this.random = random;
    this.#mark = packet.mark;
    const [source, destination] = [packet.saddr, packet.daddr].map((text) => {
      const address = parseAddress(text);
      if (address === undefined) throw new Error(text);
      return addressData(address);
    });
    this.#v4 = !packet.daddr.includes(":");
    this.#network = Buffer.alloc(this.#v4 ? 20 : 40);
    this.#network.write(`${source}${destination}`, this.#v4 ? 12 : 8, "latin1");
    this.#network[this.#v4 ? 8 : 7] = packet.hopLimit ?? 64;
    this.#original = destination ?? "";
    this.#transport.writeUInt16BE(packet.sport, 0);
    this.#transport.writeUInt16BE(packet.dport, 2);
    this.#transport[13] = packet.syn ? 2 : 16;
  }

  /** NFT_REG32_00 is register 8. */
  read(register: number, length: number): Data {
    return this.#registers.toString("latin1", (register - 8) * 4, (register - 8) * 4 + length);
  }

  /** Also writes the zeros behind the value, up to the next register. */
  write(register: number, value: Data): void {
    const start = (register - 8) * 4;
    if (register < 8 || start + value.length > 64) throw new Error(`no register ${register}`);
    this.#registers.fill(0, start, start + Math.ceil(value.length / 4) * 4);
    this.#registers.write(value, start, "latin1");
  }

  payload(data: Attributes): void {
    const [base, offset, length] = [data.u32Be(2), data.u32Be(3) ?? 0, data.u32Be(4) ?? 0];
    const header = base === 1 ? this.#network : this.#transport;
    const source = data.u32Be(5);
    if (source !== undefined) header.write(this.read(source, length), offset, "latin1");
    else this.write(data.u32Be(1) ?? 0, header.toString("latin1", offset, offset + length));
  }

  meta(key: number, data: Attributes): boolean {
    const source = data.u32Be(3);
    if (source !== undefined) {
      if (key !== 3) throw new Error(`meta ${key} cannot be set`);
      this.#mark = Buffer.from(this.read(source, 4), "latin1").readUInt32LE();
      return true;
    }
    const value = { 3: numberData("mark", this.#mark), 6: interfaceData(this.#packet.iifname) }[key];
    this.write(data.u32Be(1) ?? 0, key === 16 ? protocolData(this.#packet.l4proto as "tcp") : (value ?? ""));
    return key === 16 || value !== undefined;
  }

  ct(key: number, data: Attributes): void {
    const source = data.u32Be(4);
    if (source !== undefined) {
      if (key !== 3) throw new Error(`ct ${key} cannot be set`);
      this.#ctMark = Buffer.from(this.read(source, 4), "latin1").readUInt32LE();
      return;
    }
    // State new, direction original, mark, original destination.
    const value = {
      0: "\x08\0\0\0",
      1: "\0",
      3: numberData("mark", this.#ctMark),
      20: this.#original,
      22: this.#original,
    }[key];
    if (value === undefined) throw new Error(`no ct ${key}`);
    this.write(data.u32Be(1) ?? 0, value);
  }

  translate(family: number, address: number, port: number | undefined): void {
    if (family !== (this.#v4 ? 2 : 10)) throw new Error(`nat of family ${family}`);
    this.#network.write(this.read(address, this.#v4 ? 4 : 16), this.#v4 ? 16 : 24, "latin1");
    if (port !== undefined) this.#transport.write(this.read(port, 2), 2, "latin1");
    this.#translated = true;
  }

  outcome(): Omit<MachineOutcome, "end"> {
    const [start, length] = this.#v4 ? [12, 4] : [8, 16];
    const address = (from: number) => formatAddress(dataAddress(this.#network.toString("latin1", from, from + length)));
    return {
      saddr: address(start),
      daddr: address(start + length),
      sport: this.#transport.readUInt16BE(0),
      dport: this.#transport.readUInt16BE(2),
      hopLimit: this.#network[this.#v4 ? 8 : 7] ?? 0,
      mark: this.#mark,
      ctMark: this.#ctMark,
      translated: this.#translated,
    };
  }
}
