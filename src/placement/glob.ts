/**
 * Whether the name matches the pattern: `*` stands for any text, `?` for any one character, everything else for itself. Only the last
 * `*` is tried again, so the cost is at most the product of both lengths, whatever the pattern is.
 */
export function matchesGlob(pattern: string, name: string): boolean {
  let at = 0;
  let star = -1;
  let afterStar = 0;
  for (let index = 0; index < name.length; ) {
    const symbol = pattern[at];
    if (symbol === "*") {
      star = at++;
      afterStar = index;
    } else if (symbol === "?" || symbol === name[index]) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++afterStar;
    } else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}

/** Whether the name matches any of the patterns; without patterns, every name does. */
export function matchesAnyGlob(patterns: readonly string[], name: string): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matchesGlob(pattern, name));
}

/** Whether the text is a name, and not a pattern for names. */
export function isLiteral(pattern: string): boolean {
  return !/[*?]/.test(pattern);
}
