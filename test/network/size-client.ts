import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { patiently } from "./patience.ts";

/**
 * Asks `address port` for so many bytes, and prints how many came or what went wrong: by `tcp`, by one datagram that comes back (`udp`), or by one that
 * it does not wait for (`udp-closed`).
 */
const [protocol = "", address = "", port = "", bytes = ""] = process.argv.slice(2);
const limitMs = patiently(10_000);

function finish(text: string | number): void {
  console.log(text);
  process.exit();
}

setTimeout(() => finish("timeout"), limitMs);
if (protocol === "tcp") {
  let received = 0;
  const socket = connect({ host: address, port: Number(port) }, () => socket.write(`${bytes}\n`));
  socket.on("data", ({ length }) => {
    received += length;
  });
  socket.on("end", () => finish(received));
  socket.on("error", ({ message }) => finish(message));
} else {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("message", ({ length }) => finish(length));
  socket.on("error", ({ message }) => finish(message));
  socket.connect(Number(port), address, () =>
    socket.send(Buffer.alloc(Number(bytes), "x"), () => {
      if (protocol === "udp-closed") finish("sent");
    }),
  );
}
