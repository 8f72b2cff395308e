import type { TextBlock } from "./markdown-prose.ts";

/** The comments of TypeScript code, each on one line, without its code spans. Consecutive line comments are one comment. */
export function commentsOf(code: string): readonly TextBlock[] {
  return [...code.matchAll(/^[ \t]*\/\*[\s\S]*?\*\/|(?:^|(?<=\s))\/\/ .*(?:\n[ \t]*\/\/ .*)*/gm)].map((match) => {
    const first = lineNumber(code, match.index);
    let text = "";
    const lines = match[0].split("\n").map((line, index) => {
      const start = text === "" ? 0 : text.length + 1;
      const words = line.trim().replace(/^(?:\/\*\*?|\/\/|\*(?!\/))\s?|\s*\*\/$/g, "");
      text = text === "" ? words : `${text} ${words}`;
      return { number: first + index, start };
    });
    // Of the same length, so that the positions of the lines stay right.
    return { text: text.replaceAll(/`[^`]*`/g, (span) => "C".repeat(span.length)), lines };
  });
}

/** The lines of code with a text in them; comments and imports are left out. */
export function textLinesOf(code: string): readonly TextBlock[] {
  return code
    .replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ""))
    .replaceAll(/(^|\s)\/\/ .*$/gm, "$1")
    .split("\n")
    .flatMap((line, index) =>
      /["`]/.test(line) && !/^\s*(?:import|export) .* from "|^} from "/.test(line) ? [block(line, index + 1)] : [],
    );
}

/** The titles of tests, and the names of cases that become titles: those with a blank, which names of objects do not have. */
export function testTitlesOf(code: string): readonly TextBlock[] {
  const calls = code.matchAll(/\b(?:test|describe|suite)(?:\.\w+)?\(\s*(["`])((?:(?!\1)[^\\]|\\.)*)\1/g);
  const cases = code.matchAll(/\bname: (["`])((?:(?!\1)[^\\]|\\.)* (?:(?!\1)[^\\]|\\.)*)\1/g);
  return [...calls, ...cases].map(({ index, 2: title = "" }) => block(title, lineNumber(code, index)));
}

function block(text: string, number: number): TextBlock {
  return { text, lines: [{ number, start: 0 }] };
}

function lineNumber(code: string, index: number): number {
  return code.slice(0, index).split("\n").length;
}
