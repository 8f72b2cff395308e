import { createHmac, createSecretKey, type KeyObject } from "node:crypto";

/** The length of a key in bytes: as long as what SHA-256 returns (RFC 2104 section 3). */
export const heartbeatKeyLength = 32;

/** What the id of a key is made from, with the key itself. No message begins like this. */
const idText = "bellhop heartbeat key id";

/** A key by which speakers authenticate their messages. Neither printing nor serializing it shows its bytes. */
export class HeartbeatKey {
  /** 32 bits that name the key, on the wire and in logs, and do not disclose it. */
  readonly id: number;
  readonly #bytes: Uint8Array;
  readonly #object: KeyObject;

  /** `bytes`: heartbeatKeyLength of them. Throws RangeError for any other number. */
  constructor(bytes: Uint8Array) {
    if (bytes.length !== heartbeatKeyLength) throw new RangeError("a heartbeat key has another length");
    this.#bytes = Uint8Array.from(bytes);
    this.#object = createSecretKey(this.#bytes);
    this.id = createHmac("sha256", this.#object).update(idText).digest().readUInt32BE(0);
  }

  /** For node:crypto. */
  get object(): KeyObject {
    return this.#object;
  }

  /** A copy of its bytes, to store it or to send it to another thread. */
  exportBytes(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes);
  }
}
