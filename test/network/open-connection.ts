import { connect } from "node:net";

/** Opens a TCP connection, says so, sends something for each byte of standard input, and prints how the connection ends. */
const [host = "", port = ""] = process.argv.slice(2);
const socket = connect({ host, port: Number(port) }, () => console.log("open"));
socket.on("error", (error) => {
  console.log(error.message);
  process.exit();
});
process.stdin.on("data", (bytes) => socket.write(bytes));
