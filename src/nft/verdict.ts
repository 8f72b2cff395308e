/** What happens to a packet next: a chain, or an end. After `goto` the rules behind it are not read, after `jump` they are. */
export type Verdict =
  | { readonly kind: "accept" | "drop" | "continue" | "return" }
  | { readonly kind: "goto" | "jump"; readonly chain: string };

/** The chain that a verdict leads to; undefined where it leads to none. */
export function chainOf(verdict: Verdict): string | undefined {
  return verdict.kind === "goto" || verdict.kind === "jump" ? verdict.chain : undefined;
}

export function printVerdict(verdict: Verdict): string {
  const chain = chainOf(verdict);
  return chain === undefined ? verdict.kind : `${verdict.kind} ${chain}`;
}
