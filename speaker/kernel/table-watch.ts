import type { ExpectedTable } from "../../src/nft-netlink/expected-contents.ts";
import { contentsDifference, type TableContents, type TableName } from "../../src/nft-netlink/table-contents.ts";

/**
 * Remembers what our tables contain, and compares. A table whose contents differ is reported once, and is expected again from the
 * next successful write of it.
 */
export class TableWatch {
  readonly #expected = new Map<string, { readonly table: TableName; readonly contents: TableContents }>();

  /** After a batch took effect. `readHandle` reads the kernel's number of a table that the batch has made. */
  expect(tables: readonly ExpectedTable[], readHandle: (table: TableName) => bigint | undefined): void {
    for (const { table, contents, replaced } of tables) {
      const id = idOf(table);
      const handle = replaced && contents !== undefined ? readHandle(table) : this.#expected.get(id)?.contents.handle;
      if (contents === undefined) this.#expected.delete(id);
      else this.#expected.set(id, { table, contents: { ...contents, handle } });
    }
  }

  /** After a batch whose outcome is unknown. */
  forget(tables: readonly ExpectedTable[]): void {
    for (const { table } of tables) this.#expected.delete(idOf(table));
  }

  /** The tables that something else has changed. */
  changed(
    read: (table: TableName) => TableContents | undefined,
  ): readonly { readonly table: TableName; readonly difference: string }[] {
    return [...this.#expected].flatMap(([id, { table, contents }]) => {
      const difference = contentsDifference(contents, read(table));
      if (difference === undefined) return [];
      this.#expected.delete(id);
      return [{ table, difference }];
    });
  }
}

function idOf({ family, name }: TableName): string {
  return `${family} ${name}`;
}
