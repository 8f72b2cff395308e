/** The bytes that structure JSON (RFC 8259 section 2). */
export const byteOf = {
  quote: 0x22,
  backslash: 0x5c,
  colon: 0x3a,
  comma: 0x2c,
  openBrace: 0x7b,
  closeBrace: 0x7d,
  openBracket: 0x5b,
  closeBracket: 0x5d,
  /** White space is what is not above it. */
  space: 0x20,
  u: 0x75,
} as const;
