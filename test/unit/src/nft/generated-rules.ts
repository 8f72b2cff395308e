import fc from "fast-check";
import { fieldOf } from "../../../../src/nft/field.ts";
import type { NftRule, Statement } from "../../../../src/nft/statement.ts";
import type { NftAction, NftCommand, NftIpFamily } from "../../../../src/nft/transaction.ts";
import type { Verdict } from "../../../../src/nft/verdict.ts";
import { type Draft, fieldsOf, someEnd, someLookup, someMatch, someWrite } from "./generated-statements.ts";
import { pick } from "./generated-values.ts";

const verdicts: readonly Verdict[] = [
  { kind: "accept" },
  { kind: "drop" },
  { kind: "return" },
  { kind: "jump", chain: "second" },
  { kind: "goto", chain: "second" },
];
/** Of the second chain, which leads to no other. */
const ends: readonly Verdict[] = [{ kind: "accept" }, { kind: "drop" }, { kind: "return" }];

function someRule(
  family: NftIpFamily,
  type: "filter" | "nat",
  allowed: readonly Verdict[],
): fc.Arbitrary<readonly Draft[]> {
  return pick(["tcp", "udp"] as const).chain((protocol) => {
    const fields = fieldsOf(family, protocol);
    const step =
      type === "filter"
        ? fc.oneof(someMatch(fields), someLookup(fields), someWrite(fields))
        : fc.oneof(someMatch(fields), someLookup(fields));
    return fc
      .record({ steps: fc.array(step, { maxLength: 3 }), end: fc.option(someEnd(fields, type, allowed)) })
      .map(({ steps, end }) => (end === null ? steps : [...steps, end]));
  });
}

const counter: Statement = { kind: "counter" };

/**
 * Whether it compares a field of a header. A rule has at most one of these: nft(8) makes one comparison of two, also of `udp dport != 53
 * th sport != 80`, which then says something else.
 */
function readsHeader(statement: Statement): boolean {
  if (statement.kind !== "match" || statement.left.kind !== "field") return false;
  return fieldOf(statement.left.name).from === "payload";
}

/** A table with a base chain `first` after connection tracking, a chain `second`, and the sets of their rules. */
export function someTable(family: NftIpFamily): fc.Arbitrary<readonly NftCommand[]> {
  return pick(["filter", "nat"] as const).chain((type) =>
    fc
      .record({
        first: fc.array(someRule(family, type, verdicts), { minLength: 1, maxLength: 4 }),
        second: fc.array(someRule(family, type, ends), { maxLength: 2 }),
      })
      .map(({ first, second }) => {
        const sets: NftAction[] = [];
        const elements: NftAction[] = [];
        const finish = (drafts: readonly Draft[]): NftRule => {
          let headers = 0;
          return drafts.flatMap((draft) => {
            const made = draft(`s${sets.length}`);
            if (readsHeader(made.statement)) headers += 1;
            if (readsHeader(made.statement) && headers > 1) return [];
            if (made.set !== undefined) {
              sets.push({ kind: "addSet", set: made.set });
              elements.push({ kind: "addElements", set: made.set, elements: made.elements ?? [] });
            }
            return [counter, made.statement];
          });
        };
        const rules = (chain: string, drafts: readonly (readonly Draft[])[]) =>
          drafts.map((one): NftAction => ({ kind: "addRule", chain, rule: finish(one) }));
        const all = [...rules("second", second), ...rules("first", first)];
        const base = { type, hook: "prerouting", priority: type === "nat" ? -110 : -150 } as const;
        const table = { family, name: "generated" };
        const actions: readonly NftAction[] = [
          { kind: "addTable" },
          ...sets,
          { kind: "addChain", chain: "first", base },
          { kind: "addChain", chain: "second" },
          ...elements,
          ...all.filter((action) => action.kind !== "addRule" || action.rule.length > 0),
        ];
        return actions.map((action) => ({ table, ...action }));
      }),
  );
}
