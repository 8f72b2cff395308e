import { createSocket } from "node:dgram";
import { createServer } from "node:net";

/**
 * A pod for packets of all lengths: on TCP 8080 it sends as many bytes as the first line that it receives says, and on UDP 5353 it sends each datagram
 * back: one of a single byte only when the next one arrives, so that its client can be gone.
 */
const late: (() => void)[] = [];

const tcp = createServer((socket) => {
  socket.once("data", (data) => socket.end(Buffer.alloc(Number(data.toString()), "x")));
  socket.on("error", () => socket.destroy());
});
const udp = createSocket("udp6", (message, from) => {
  const answer = (): void => udp.send(message, from.port, from.address);
  late.push(answer);
  if (message.length > 1) for (const each of late.splice(0)) each();
});
tcp.listen(8080, "::", () => udp.bind(5353, "::", () => process.stdout.write("ready\n")));
