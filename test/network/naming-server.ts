import { createSocket } from "node:dgram";
import { createServer } from "node:net";

/** Answers TCP and UDP on each of the addresses and ports, given as `ADDRESS,… PORT,…`, with `ADDRESS PORT from CLIENT`. */
const [addresses = "", ports = ""] = process.argv.slice(2);
const ready: Promise<void>[] = [];
for (const address of addresses.split(","))
  for (const port of ports.split(",").map(Number)) {
    const answer = (client: string | undefined) => `${address} ${port} from ${client}`;
    const tcp = createServer((socket) => socket.end(answer(socket.remoteAddress)));
    const udp = createSocket("udp4", (_, from) => udp.send(answer(from.address), from.port, from.address));
    ready.push(new Promise((resolve) => tcp.listen(port, address, resolve)));
    ready.push(new Promise((resolve) => udp.bind(port, address, resolve)));
  }
await Promise.all(ready);
console.log("ready");
