/** A wording that Bellhop does not use where a user reads it. */
export interface BannedWording {
  /** What to look for; without the flag `g`, so that it can be used again and again. */
  readonly pattern: RegExp;
  readonly sayInstead: string;
}

/**
 * The wordings that texts for users avoid: documents, reasons and their cures, events, conditions, command line, metric help, CRD
 * descriptions. Each entry is a habit that once made the texts hard to read. Code spans and console output are not prose: leave them out.
 */
export const bannedWordings: readonly BannedWording[] = [
  {
    pattern: /(?<!\bthere )\b(?:is|are|was|were|be) no\b(?! (?:longer|more|less|later|matter)\b)/i,
    sayInstead: "is not a (there is no …)",
  },
  { pattern: /\b(?:that|which) (?:is|are) none\b/i, sayInstead: "that is not one; invalid" },
  { pattern: /\b(?:stands?|stood|standing)\b(?!-)(?! (?:for|in for)\b)/i, sayInstead: "is, exists, is set, contains" },
  { pattern: /\banew\b/i, sayInstead: "again" },
  { pattern: /\bheed(?:s|ed|ing)?\b/i, sayInstead: "honour, apply, respect" },
  { pattern: /\b(?:whoever|whosoever|whatever)\b/i, sayInstead: "the Service that …, everything that …" },
  { pattern: /\bthose (?:who|that|which)\b/i, sayInstead: "name them: the Services that …" },
  { pattern: /\bnobody\b/i, sayInstead: "no one, no Service, no node" },
  { pattern: /\b(?:lets?|letting) (?:\w+ )?go\b/i, sayInstead: "release" },
  { pattern: /\b(?:wish|wishes|wished)\b/i, sayInstead: "request" },
  { pattern: /\bask(?:s|ed|ing)? for\b/i, sayInstead: "request" },
  { pattern: /\bunasked\b/i, sayInstead: "automatically, without a request" },
  { pattern: /\b(?:is|are|be) told\b/i, sayInstead: "is reported, is logged, receives" },
  { pattern: /\bby now\b/i, sayInstead: "now, already" },
  { pattern: /\bbears?\b/i, sayInstead: "has, carries" },
  { pattern: /\balso not\b/i, sayInstead: "nor, and not … either" },
  { pattern: /\bgood-?bye\b/i, sayInstead: "leaves, shuts down" },
  { pattern: /\b(?:bury|buries|buried)\b/i, sayInstead: "declare dead, mark as dead" },
  { pattern: /\bheirs?\b/i, sayInstead: "successor" },
  { pattern: /\bset aside\b/i, sayInstead: "rejected, invalid" },
  { pattern: /\b(?:any ?more)\b(?! than\b)/i, sayInstead: "no longer" },
  { pattern: /\ball else\b/i, sayInstead: "everything else, other" },
  { pattern: /\b(?:gives?|gave|given|giving) out\b/i, sayInstead: "allocate, assign" },
  {
    pattern: /\b(?:gives?|gave|giving) (?:(?:no|any|new|more|an|the|its|their|free|nodes'?) )*addresses\b/i,
    sayInstead: "assign addresses",
  },
  { pattern: /\bin no (?:way|case|usable)\b/i, sayInstead: "not at all, never, not in any" },
  { pattern: /\b(?:finds?|leads? to|means?) (?:no|nothing)\b/i, sayInstead: "has no, matches no, has no effect" },
  { pattern: /\b(?:comes?|came|have|has) together\b/i, sayInstead: "share" },
  { pattern: /\bgo(?:es)? on (?:working|to|with)\b/i, sayInstead: "continue" },
  { pattern: /\b(?:is|are) due to (?:it|them)\b/i, sayInstead: "is pending" },
  { pattern: /\bevened? out\b|\bevening[- ]out\b/i, sayInstead: "rebalance, balance" },
  { pattern: /\bdoes not yet\b(?=[.,;]|$)/i, sayInstead: "finish the sentence" },
];

/** What of the list occurs in `text`, as `"whoever": say …`. */
export function bannedIn(text: string): readonly string[] {
  return bannedWordings.flatMap(({ pattern, sayInstead }) => {
    const found = pattern.exec(text)?.[0];
    return found === undefined ? [] : [`"${found}": say ${sayInstead}`];
  });
}
