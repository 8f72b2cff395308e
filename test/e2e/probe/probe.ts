import { createSocket } from "node:dgram";
import { type AddressInfo, connect, isIPv6, type Socket } from "node:net";

/** What a probe asks: one new connection (or datagram socket) per question. */
export interface Target {
  readonly protocol: "tcp" | "udp";
  readonly host: string;
  readonly port: number;
  /** For TCP a path of agnhost's netexec (`/hostname`), for UDP one of its words (`hostname`). */
  readonly question: string;
  /** An address of the asking host, for TCP; by default the kernel chooses one. */
  readonly source?: string;
}

/** Asks once, over a connection of its own. Rejects when there is no whole answer within `timeoutMs`. */
export function ask(target: Target, timeoutMs: number): Promise<string> {
  return target.protocol === "tcp" ? askTcp(target, timeoutMs) : askUdp(target, timeoutMs);
}

function askTcp(target: Target, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const { host, port, source } = target;
    const socket = connect(source === undefined ? { host, port } : { host, port, localAddress: source });
    const timer = setTimeout(() => socket.destroy(new Error("timeout")), timeoutMs);
    let answer = "";
    socket.setEncoding("utf8");
    socket.on("connect", () => socket.write(requestText(target, "close")));
    socket.on("data", (chunk: string) => {
      answer += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => {
      clearTimeout(timer);
      const body = answer.split("\r\n\r\n")[1];
      if (answer.startsWith("HTTP/1.1 200") && body !== undefined) resolve(body);
      else reject(new Error(answer === "" ? "closed without an answer" : answer.slice(0, 100)));
    });
  });
}

function askUdp(target: Target, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(target.host) ? "udp6" : "udp4");
    const timer = setTimeout(() => finish(() => reject(new Error("timeout"))), timeoutMs);
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      socket.close();
      settle();
    };
    socket.on("error", (error) => finish(() => reject(error)));
    socket.on("message", (message) => finish(() => resolve(message.toString())));
    // Connected, so that a refusal (ICMP port unreachable) is heard and an answer from another address is not taken.
    socket.connect(target.port, target.host, () => socket.send(target.question));
  });
}

function requestText(target: Target, connection: "close" | "keep-alive"): string {
  return `GET ${target.question} HTTP/1.1\r\nHost: bellhop\r\nConnection: ${connection}\r\n\r\n`;
}

/** A connection that is kept open and asked again and again; it is broken once, for ever. */
export class LongConnection {
  readonly #socket: Socket;
  readonly #target: Target;
  #pending: { resolve(): void; reject(error: Error): void } | undefined;
  #answer = "";
  broken: string | undefined;
  answers = 0;

  constructor(target: Target) {
    this.#target = target;
    this.#socket = connect({ host: target.host, port: target.port });
    this.#socket.setEncoding("utf8");
    this.#socket.on("data", (chunk: string) => this.#hear(chunk));
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("close", () => this.#fail(new Error("closed")));
  }

  get localPort(): number {
    return (this.#socket.address() as AddressInfo).port;
  }

  /** One request over the connection, unless one is under way; never rejects: a failure is kept in `broken`. */
  async ask(timeoutMs: number): Promise<void> {
    if (this.broken !== undefined || this.#pending !== undefined) return;
    const timer = setTimeout(() => this.#fail(new Error("timeout")), timeoutMs);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#pending = { resolve, reject };
        this.#socket.write(requestText(this.#target, "keep-alive"));
      });
      this.answers++;
    } catch {
      // Kept in `broken` by the handler that rejected.
    } finally {
      this.#pending = undefined;
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#socket.removeAllListeners("close");
    this.#socket.destroy();
  }

  #hear(chunk: string): void {
    this.#answer += chunk;
    const length = /content-length: (\d+)/i.exec(this.#answer);
    const end = this.#answer.indexOf("\r\n\r\n");
    if (end < 0 || length === null || this.#answer.length < end + 4 + Number(length[1])) return;
    this.#answer = "";
    this.#pending?.resolve();
  }

  #fail(error: Error): void {
    this.broken ??= error.message;
    this.#socket.destroy();
    this.#pending?.reject(error);
  }
}
