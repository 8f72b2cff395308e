/** Colours by meaning; each function returns the text unchanged if colours are off. */
export interface Palette {
  readonly bold: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
}

/** ANSI X3.64 select graphic rendition. */
export function createPalette(coloured: boolean): Palette {
  const paint = (code: number) => (text: string) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text);
  return { bold: paint(1), faint: paint(2), good: paint(32), bad: paint(31) };
}
