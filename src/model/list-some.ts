/** As many names in one sentence as a reader will read. */
export const maxListed = 5;

/** The first few of the texts, and how many more there are. */
export function listSome(texts: readonly string[], most: number = maxListed): string {
  const more = texts.length - most;
  return `${texts.slice(0, most).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Whether a text contains a list of `listSome` that is not complete. */
export function namesOnlySome(text: string): boolean {
  return / and \d+ more\b/.test(text);
}
