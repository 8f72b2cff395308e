import type { KernelTable } from "./kernel-table.ts";

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
  const moved = expressions.map((text, index) => (index <= last ? text.replaceAll(/=r(\d+)\b/g, rename) : text));
  // What was loaded for it is directly before it; earlier statements have used the same registers for something else.
  let begin = last;
  while (begin > 0 && moved[begin - 1]?.includes(" 1=second")) begin -= 1;
  return [...expressions.slice(0, begin), ...moved.slice(begin)];
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
    if ((type === 6 && value === "00000000") || ([3, 4].includes(type) && ours[3] === undefined)) continue;
    entries[type] = value;
  }
  return entries;
}

/** nft(8) also writes that nothing below the first range belongs to a set, and marks a range that reaches up to the last value. */
function plainElements(elements: readonly string[]): readonly string[] {
  return elements
    .filter((text) => !/^[0-9a-f]{2}000100[0-9a-f]{2}000100(?:00)+0800030000000001$/.test(text))
    .map((text) => text.replace(/0a0006000104010000000000$/, ""));
}

/** What is compared. `ours`: the same table as we write it. `older`: written by an nft(8) before 1.1. */
export function comparable(table: KernelTable, ours: KernelTable, older: boolean): unknown {
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
