import { createSocket } from "node:dgram";
import { createServer } from "node:net";

/** Stands for a pod: answers every line on TCP 8080 and every datagram on UDP 5353, both families, with its name; connections stay open. */
const name = process.argv[2] ?? "";
const tcp = createServer((socket) => {
  socket.on("error", () => undefined);
  socket.on("data", () => socket.write(`${name}\n`));
});
const udp = createSocket("udp6", (_, from) => udp.send(`${name}\n`, from.port, from.address));
tcp.listen(8080, "::", () => udp.bind(5353, "::", () => process.stdout.write("ready\n")));
