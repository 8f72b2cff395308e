const zero = 0x30;
const lowerA = 0x61;
const dot = 0x2e;
const colon = 0x3a;

/**
 * The address as 4 or 16 bytes in network byte order, from its canonical text (`formatAddress`). Undefined for a text that `parseAddress` does
 * not accept. Makes no integers on the way, for where thousands of addresses are sent at once.
 */
export function parseAddressBytes(text: string): Uint8Array | undefined {
  return text.includes(":") ? parseIPv6(text) : parseIPv4(text);
}

function parseIPv4(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4);
  let part = 0;
  let value = -1;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === dot) {
      if (value < 0 || part === 3) return undefined;
      bytes[part++] = value;
      value = -1;
    } else {
      const digit = digitOf(code, 10);
      // No leading zero: some programs read it as octal.
      if (digit < 0 || value === 0) return undefined;
      value = value < 0 ? digit : value * 10 + digit;
      if (value > 0xff) return undefined;
    }
  }
  if (part !== 3 || value < 0) return undefined;
  bytes[3] = value;
  return bytes;
}

function parseIPv6(text: string): Uint8Array | undefined {
  const groups: number[] = [];
  let gapAt = -1;
  let value = -1;
  let digits = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== colon) {
      const digit = digitOf(code, 16);
      if (digit < 0 || ++digits > 4) return undefined;
      value = value < 0 ? digit : value * 16 + digit;
    } else if (value >= 0) {
      groups.push(value);
      value = -1;
      digits = 0;
    } else if (at > 0) {
      // The second of two colons; there is one gap at most.
      if (gapAt >= 0) return undefined;
      gapAt = groups.length;
    } else if (text.charCodeAt(1) !== colon) return undefined;
  }
  if (value >= 0) groups.push(value);
  else if (gapAt !== groups.length) return undefined;
  if (gapAt < 0 ? groups.length !== 8 : groups.length > 7) return undefined;
  return isMapped(groups, gapAt) ? undefined : bytesOf(groups, gapAt);
}

function bytesOf(groups: readonly number[], gapAt: number): Uint8Array {
  const bytes = new Uint8Array(16);
  for (let index = 0; index < groups.length; index++) {
    const place = gapAt >= 0 && index >= gapAt ? 8 - groups.length + index : index;
    const group = groups[index] ?? 0;
    bytes[2 * place] = group >>> 8;
    bytes[2 * place + 1] = group;
  }
  return bytes;
}

/** ::ffff:0:0/96 (RFC 4291 section 2.5.5.2). */
function isMapped(groups: readonly number[], gapAt: number): boolean {
  const last = groups.length - 3;
  const zerosBefore = groups.slice(0, Math.max(0, last)).every((group) => group === 0);
  return last >= 0 && groups[last] === 0xffff && zerosBefore && (gapAt < 0 || gapAt <= last);
}

function digitOf(code: number, base: number): number {
  const digit = code < lowerA ? code - zero : code - lowerA + 10;
  return digit < 0 || digit >= base || (code < lowerA && digit > 9) ? -1 : digit;
}
