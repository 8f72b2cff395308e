import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { setSocketOption } from "../../src/libc/libc.ts";
import { patiently } from "./patience.ts";

/**
 * A client: asks `address port protocol` so many times, one after the other, and prints each answer or what went wrong. The protocol is tcp, udp, or
 * udp-without-checksum, which is legal in IPv4 (RFC 768).
 */
const [protocol = "", address = "", port = "", times = "1", sourcePort = "0"] = process.argv.slice(2);
const limitMs = patiently(2000);

/** asm-generic/socket.h. */
const [SOL_SOCKET, SO_NO_CHECK] = [1, 11];

/** Node has no option for it, and no public access to the descriptor. */
function descriptorOf(socket: object): number {
  for (const symbol of Object.getOwnPropertySymbols(socket)) {
    const fd: unknown = Reflect.get(socket, symbol)?.handle?.fd;
    if (typeof fd === "number") return fd;
  }
  throw new Error("a socket without a descriptor");
}

function askTcp(): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: Number(port), localPort: Number(sourcePort), timeout: limitMs });
    let answer = "";
    socket.setEncoding("utf8").on("data", (text) => {
      answer += text;
    });
    socket.on("end", () => resolve(answer.trim()));
    socket.on("timeout", () => {
      socket.destroy();
      resolve("timeout");
    });
    socket.on("error", (error) => resolve(error.message));
  });
}

function askUdp(): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    const finish = (answer: string) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer.trim());
    };
    const timer = setTimeout(() => finish("timeout"), limitMs);
    socket.on("message", (message) => finish(message.toString()));
    socket.on("error", (error) => finish(error.message));
    // Connected, so that an answer from another address does not count.
    socket.bind(Number(sourcePort), () => {
      if (protocol === "udp-without-checksum") setSocketOption(descriptorOf(socket), SOL_SOCKET, SO_NO_CHECK, 1);
      socket.connect(Number(port), address, () => socket.send("?"));
    });
  });
}

for (let count = 0; count < Number(times); count++) console.log(await (protocol === "tcp" ? askTcp() : askUdp()));
