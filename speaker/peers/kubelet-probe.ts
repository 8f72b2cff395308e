import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Clock } from "../../src/clock/clock.ts";
import type { ProgramsAnswer } from "../membership/inputs.ts";

/** How long the kernel of the node may take to accept the connection, and then its kubelet to send the first byte. */
const withinMs = 400;

/** Finds out whether programs run on a node by a connection to its kubelet. Never rejects. */
export type ProbeKubelet = (host: string, port: number, clock: Clock) => Promise<ProgramsAnswer>;

/**
 * Begins a TLS handshake and waits for the first byte. Sends no credentials and no request, and believes nothing of what it receives: any byte
 * says that a program runs there.
 */
export const probeKubelet: ProbeKubelet = (host, port, clock) =>
  new Promise((resolve) => {
    const socket = connectTcp({ host, port });
    const handshake = connectTls({ socket, rejectUnauthorized: false });
    let cancel = (): void => {};
    const destroy = (): void => {
      cancel();
      handshake.destroy();
      socket.destroy();
    };
    const end = (answer: ProgramsAnswer): void => {
      destroy();
      resolve(answer);
    };
    // A connection that was closed without a byte may have been closed by a firewall.
    const failed = (): void => end(socket.bytesRead > 0 ? "answered" : "unknown");
    const wait = (otherwise: ProgramsAnswer): void => {
      cancel();
      let isOver = false;
      const stopTimer = clock.after(withinMs, () => {
        // After a while in which this thread did not run, what has arrived is read only now: after timers, before immediate callbacks.
        setImmediate(() => {
          if (!isOver) end(socket.bytesRead > 0 ? "answered" : otherwise);
        });
      });
      cancel = () => {
        isOver = true;
        stopTimer();
      };
    };
    wait("unknown");
    socket.once("connect", () => wait("silent"));
    socket.on("error", failed);
    handshake.on("error", failed);
    handshake.once("secureConnect", () => {
      resolve("answered");
      cancel();
      cancel = clock.after(withinMs, destroy);
      // A connection that is reset here would be an error in the log of the kubelet.
      handshake.resume();
      handshake.end();
    });
    handshake.once("close", failed);
  });
