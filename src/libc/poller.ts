import { linux } from "./constants.ts";
import { close, drainEventFd, openEventFd, poll, structSizes } from "./libc.ts";

/** Waits for descriptors in poll(2), and has an eventfd by which another thread ends the wait. */
export class Poller {
  /** Writing 8 bytes with a number other than 0 to it ends `wait`; any thread of the process may. */
  readonly wakeFd = openEventFd();
  #entries = new DataView(new ArrayBuffer(0));

  /**
   * Blocks the thread until one of the descriptors can be read, another thread ends the wait, or the time is over. Returns the descriptors that
   * can be read; one that broke counts too, so that reading it says why.
   */
  wait(fds: readonly number[], timeoutMs: number): readonly number[] {
    const size = structSizes.pollfd;
    const count = fds.length + 1;
    if (this.#entries.byteLength !== count * size) this.#entries = new DataView(new ArrayBuffer(count * size));
    const entries = this.#entries;
    for (const [index, fd] of [this.wakeFd, ...fds].entries()) {
      entries.setInt32(index * size, fd, true);
      entries.setInt16(index * size + 4, linux.POLLIN, true);
      entries.setInt16(index * size + 6, 0, true);
    }
    if (poll(new Uint8Array(entries.buffer), count, timeoutMs) === 0) return [];
    if (entries.getInt16(6, true) !== 0) drainEventFd(this.wakeFd);
    return fds.filter((_, index) => entries.getInt16((index + 1) * size + 6, true) !== 0);
  }

  close(): void {
    close(this.wakeFd);
  }
}
