import { bindPacketSocket, interfaceIndex, openPacketSocket, send } from "../../src/libc/libc.ts";

/** Puts one frame, given in hexadecimal, on the wire of the interface named first. */
const [interfaceName = "", frame = ""] = process.argv.slice(2);
const fd = openPacketSocket();
bindPacketSocket(fd, interfaceIndex(interfaceName), 0x88b5);
send(fd, Buffer.from(frame, "hex"));
