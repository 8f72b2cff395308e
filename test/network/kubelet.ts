import { createServer } from "node:net";

/** Stands for a kubelet: answers each connection to TCP port 10250 with a refusal of TLS. */
const handshakeFailure = Buffer.from("15030300020228", "hex");
createServer((socket) => {
  socket.on("error", () => undefined);
  socket.once("data", () => socket.end(handshakeFailure));
}).listen(10_250, "::", () => console.log("ready"));
