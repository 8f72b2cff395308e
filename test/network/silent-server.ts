import { createServer } from "node:net";

/** Accepts TCP connections on 8080, both families, and says nothing. */
createServer((socket) => socket.on("error", () => undefined)).listen(8080, "::", () => console.log("ready"));
