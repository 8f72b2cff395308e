import { BellhopError } from "../error/error.ts";

/** Far above what one object can be: etcd takes 1.5 MiB by default, and a watch event carries one object. */
const maxLineBytes = 16 * 1024 * 1024;
const newline = 0x0a;

/**
 * Cuts a byte stream into JSON values, one a line. Works on bytes: a character cut in two by a chunk border is never decoded
 * early. Throws ApiUnreachable for a line that is too long or no JSON, because then nothing that follows can be trusted.
 */
export class JsonLines {
  #parts: Buffer[] = [];
  #length = 0;

  /** Takes the next chunk, gives the values of all lines that it completes. */
  *push(chunk: Buffer): Generator<unknown> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(newline, start);
      if (end < 0) break;
      const line = this.#take(chunk.subarray(start, end));
      start = end + 1;
      if (line.length > 0) yield parseLine(line);
    }
    this.#keep(chunk.subarray(start));
  }

  #take(tail: Buffer): Buffer {
    if (this.#parts.length === 0) return tail;
    const line = Buffer.concat([...this.#parts, tail]);
    this.#parts = [];
    this.#length = 0;
    return line;
  }

  #keep(rest: Buffer): void {
    if (rest.length === 0) return;
    this.#parts.push(rest);
    this.#length += rest.length;
    if (this.#length > maxLineBytes) throw new BellhopError("ApiUnreachable", "a watch sent a line longer than 16 MiB");
  }
}

function parseLine(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString("utf8"));
  } catch (cause) {
    throw new BellhopError("ApiUnreachable", "a watch sent a line that is not JSON", { cause });
  }
}
