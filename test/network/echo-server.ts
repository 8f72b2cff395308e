import { createSocket } from "node:dgram";
import { createServer } from "node:net";

/** Stands for a pod: answers TCP on 8080 and UDP on 5353, both families, with its name and the client's address. */
const name = process.argv[2] ?? "";
const plain = (address: string | undefined) => (address ?? "").replace(/^::ffff:/, "");
const tcp = createServer((socket) => socket.end(`${name} ${plain(socket.remoteAddress)}\n`));
const udp = createSocket("udp6", (_, from) => udp.send(`${name} ${plain(from.address)}\n`, from.port, from.address));
tcp.listen(8080, "::", () => udp.bind(5353, "::", () => process.stdout.write("ready\n")));
