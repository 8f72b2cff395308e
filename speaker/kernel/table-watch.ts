import type { ExpectedTable } from "../../src/nft-netlink/expected-contents.ts";
import { contentsDifference, type TableContents, type TableName } from "../../src/nft-netlink/table-contents.ts";

interface Expected {
  readonly table: TableName;
  readonly contents: TableContents;
  /** Whether another program has added or deleted something since the table was made. */
  readonly touched: boolean;
}

/**
 * Remembers what our tables contain, and compares. A table whose contents differ, or that another program has written to, is reported once, and is
 * expected again from the next successful write of it.
 */
export class TableWatch {
  readonly #expected = new Map<string, Expected>();

  /** After a batch took effect. `readHandle` reads the kernel's number of a table that the batch has made. */
  expect(tables: readonly ExpectedTable[], readHandle: (table: TableName) => bigint | undefined): void {
    for (const { table, contents, replaced } of tables) {
      const id = idOf(table);
      const before = replaced ? undefined : this.#expected.get(id);
      const handle = replaced && contents !== undefined ? readHandle(table) : before?.contents.handle;
      if (contents === undefined) this.#expected.delete(id);
      else this.#expected.set(id, { table, contents: { ...contents, handle }, touched: before?.touched === true });
    }
  }

  /** After a batch whose outcome is unknown. */
  forget(tables: readonly ExpectedTable[]): void {
    for (const { table } of tables) this.#expected.delete(idOf(table));
  }

  /**
   * Another program has added or deleted something in the table. To count tells nothing where it has put one thing in place of another, and before
   * Linux 6.13, which counts no elements.
   */
  touched(table: TableName | undefined): void {
    const expected = table && this.#expected.get(idOf(table));
    if (expected !== undefined) this.#expected.set(idOf(expected.table), { ...expected, touched: true });
  }

  /** The tables that something else has changed. Each is known before the next one is read: where `read` throws, those before it are not lost. */
  *changed(
    read: (table: TableName) => TableContents | undefined,
  ): Iterable<{ readonly table: TableName; readonly difference: string }> {
    for (const [id, { table, contents, touched }] of [...this.#expected]) {
      const counted = contentsDifference(contents, read(table));
      const difference = counted ?? (touched ? "another program has written to the table" : undefined);
      if (difference === undefined) continue;
      this.#expected.delete(id);
      yield { table, difference };
    }
  }
}

function idOf({ family, name }: TableName): string {
  return `${family} ${name}`;
}
