import { rankOf } from "../placement/rank.ts";

/**
 * Texts that users write, cut to a length. A cut text ends with an ellipsis, and no character is split: the API server would store half
 * of a surrogate pair as another character, and the stored text would always differ from ours.
 */

/** At most `maxLength` UTF-16 code units. */
export function shorten(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  return `${text.slice(0, endBefore(text, maxLength - 1))}…`;
}

/** At most `maxBytes` bytes of UTF-8. */
export function shortenToBytes(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes - Buffer.byteLength("…")));
  return `${text.slice(0, read)}…`;
}

const digestLength = 32;

/** Like `shorten`, but texts that differ stay different: the end is a digest of the whole text. An attacker can make two texts collide. */
export function shortenDistinctly(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  return `${text.slice(0, endBefore(text, maxLength - 1 - digestLength))}…${digestOf(text)}`;
}

function endBefore(text: string, end: number): number {
  const last = text.charCodeAt(end - 1);
  return last >= 0xd800 && last <= 0xdbff ? end - 1 : end;
}

function digestOf(text: string): string {
  return ["0", "1", "2", "3"].map((salt) => rankOf(salt, text).toString(16).padStart(8, "0")).join("");
}
