import { bindPacketSocket, interfaceIndex, openPacketSocket, send } from "../../src/libc/libc.ts";

/** Puts a frame, given in hexadecimal, on the wire of the interface named first, once or as often as said. */
const [interfaceName = "", frame = "", times = "1"] = process.argv.slice(2);
const fd = openPacketSocket();
bindPacketSocket(fd, interfaceIndex(interfaceName), 0x88b5);
for (let left = Number(times); left > 0; left--) send(fd, Buffer.from(frame, "hex"));
