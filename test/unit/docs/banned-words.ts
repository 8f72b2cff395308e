import { lineAt, type TextBlock } from "./markdown-prose.ts";

/** A wording that Bellhop does not use. */
export interface BannedWording {
  /** What to look for; without the flag `g`, so that it can be used again and again. */
  readonly pattern: RegExp;
  readonly sayInstead: string;
}

/**
 * The wordings that documents, texts for users, comments and titles of tests avoid. Contains every entry of the tables in CONTRIBUTING.md.
 * Each is a habit that once made the texts hard to read. Code spans and console output are not prose: leave them out.
 */
export const bannedWordings: readonly BannedWording[] = [
  {
    pattern: /(?<!\bthere )\b(?:is|are|was|were|be) no\b(?! (?:longer|more|less|later|worse|better|matter)\b)/i,
    sayInstead: "is not a (there is no …)",
  },
  { pattern: /\b(?:that|which) (?:is|are) none\b/i, sayInstead: "that is not one; invalid" },
  { pattern: /\b(?:stands?|stood|standing)\b(?!-)(?! (?:for|in for)\b)/i, sayInstead: "is, exists, is set, contains" },
  { pattern: /\banew\b/i, sayInstead: "again" },
  { pattern: /\bheed(?:s|ed|ing)?\b/i, sayInstead: "honour, apply, respect" },
  { pattern: /\b(?:whoever|whosoever)\b/i, sayInstead: "the Service that …, the client that …" },
  { pattern: /\bthose who\b/i, sayInstead: "name them: the Services that …" },
  { pattern: /\bnobody\b/i, sayInstead: "no one, no Service, no node" },
  { pattern: /\b(?:some|any|every)body\b/i, sayInstead: "another client, any user, all nodes" },
  { pattern: /\b(?:lets?|letting) (?:\w+ )?go\b/i, sayInstead: "release" },
  { pattern: /\b(?:wish|wishes|wished)\b/i, sayInstead: "request" },
  { pattern: /\bask(?:s|ed|ing)? for\b/i, sayInstead: "request" },
  { pattern: /(?<!\byou )\bwant(?:s|ed)?\b/i, sayInstead: "request, require, need, desire" },
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
  { pattern: /\b(?:gives?|gave|given|giving) (?:(?:it|them) )?back\b/i, sayInstead: "release, return" },
  { pattern: /\bhand(?:s|ed|ing)? (?:(?:it|them) )?out\b/i, sayInstead: "allocate, assign, return" },
  {
    pattern: /\b(?:gives?|gave|giving) (?:(?:no|any|new|more|an|the|its|their|free|nodes'?) )*addresses\b/i,
    sayInstead: "assign addresses",
  },
  { pattern: /\bin no (?:way|case|usable)\b/i, sayInstead: "not at all, never, not in any" },
  { pattern: /\b(?:finds?|leads? to|means?) (?:no|nothing)\b/i, sayInstead: "has no, matches no, has no effect" },
  { pattern: /\b(?:comes?|came|have|has) together\b/i, sayInstead: "share" },
  { pattern: /\b(?:go(?:es)?|going|went) on\b/i, sayInstead: "continue" },
  { pattern: /\b(?:is|are) due to (?:it|them)\b/i, sayInstead: "is pending" },
  { pattern: /\bevened? out\b|\bevening[- ]out\b/i, sayInstead: "rebalance, balance" },
  { pattern: /\bdoes not yet\b(?=[.,;]|$)/i, sayInstead: "finish the sentence" },
  { pattern: /\ba "?no\b(?!-)/i, sayInstead: "a refusal" },
  { pattern: /\bgarbage\b(?! collect)/i, sayInstead: "invalid" },
  { pattern: /\bledgers?\b/i, sayInstead: "AddressAllocations, record" },
  { pattern: /\b(?:judges?|judged|judging)\b/i, sayInstead: "allocate, decide, evaluate" },
  { pattern: /\bkeepers?\b/i, sayInstead: "owner, OwnerAssignments" },
  { pattern: /\bstations?\b/i, sayInstead: "candidate, device, interface" },
  { pattern: /\bvoices?\b/i, sayInstead: "announcer" },
  { pattern: /\binherit(?:s|ed|ing)?\b/i, sayInstead: "take over" },
  { pattern: /\btake-overs?\b/i, sayInstead: "takeover" },
  { pattern: /\bdeaf(?:en(?:s|ed)?)?\b/i, sayInstead: "dead, disconnected" },
  { pattern: /\bslots?\b/i, sayInstead: "element" },
  { pattern: /\blaws?\b/i, sayInstead: "property" },
];

/** The banned wordings in `text`, as `"whoever": say …`. */
export function bannedIn(text: string): readonly string[] {
  return bannedWordings.flatMap(({ pattern, sayInstead }) => {
    const found = pattern.exec(text)?.[0];
    return found === undefined ? [] : [`"${found}": say ${sayInstead}`];
  });
}

/** The same with the line, as `line 7: "whoever": say …`. */
export function bannedLinesIn(blocks: readonly TextBlock[]): readonly string[] {
  return blocks.flatMap((block) =>
    bannedWordings.flatMap(({ pattern, sayInstead }) => {
      const found = pattern.exec(block.text);
      return found === null ? [] : [`line ${lineAt(block, found.index)}: "${found[0]}": say ${sayInstead}`];
    }),
  );
}
