/** A text on one line, and the lines that it was written on: number from 1, and where its part begins in `text`. */
export interface TextBlock {
  readonly text: string;
  readonly lines: readonly { readonly number: number; readonly start: number }[];
}

/** One paragraph, list item, heading or table row. */
export interface ProseBlock extends TextBlock {
  /** Whether it is a row of a table, which cannot be broken into lines. */
  readonly isTableRow: boolean;
}

/** Begins a block of its own even without a blank line before: list items, table rows, headings, quotes. */
const blockStart = /^\s*(?:[-*|#>]|\d+\.\s)/;

/** The lines of a Markdown document that are prose, with blanks for the others: fenced and indented code, HTML comments. */
export function proseLines(markdown: string): readonly string[] {
  let fence: string | undefined;
  return markdown.split("\n").map((line) => {
    const [, mark] = /^\s*(```|~~~)/.exec(line) ?? [];
    if (fence !== undefined) {
      if (mark === fence) fence = undefined;
      return "";
    }
    fence = mark;
    return mark !== undefined || /^(?: {4}|\t)/.test(line) || /^<!--.*-->$/.test(line) ? "" : line;
  });
}

/** The prose of a Markdown document, without its code spans and the targets of its links. */
export function proseBlocks(markdown: string): readonly ProseBlock[] {
  const blocks: ProseBlock[] = [];
  let open = false;
  for (const [index, line] of proseLines(markdown).entries()) {
    const words = line
      .trim()
      .replaceAll(/`[^`]*`/g, "CODE")
      .replaceAll(/\]\([^)]*\)/g, "]");
    if (words === "") {
      open = false;
      continue;
    }
    const last = blocks.at(-1);
    if (open && last !== undefined && !blockStart.test(line)) {
      const lines = [...last.lines, { number: index + 1, start: last.text.length + 1 }];
      blocks[blocks.length - 1] = { ...last, text: `${last.text} ${words}`, lines };
    } else {
      blocks.push({ text: words, isTableRow: words.startsWith("|"), lines: [{ number: index + 1, start: 0 }] });
    }
    open = true;
  }
  return blocks;
}

/** The number of the line on which the character at `offset` of the block's text was written. */
export function lineAt(block: TextBlock, offset: number): number | undefined {
  return block.lines.findLast(({ start }) => start <= offset)?.number;
}
