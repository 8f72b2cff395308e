import { createSocket } from "node:dgram";
import { connect } from "node:net";

/** A client: asks `address port protocol` so many times, one after the other, and prints each answer or what went wrong. */
const [protocol = "", address = "", port = "", times = "1", sourcePort = "0"] = process.argv.slice(2);
const limitMs = 2000;

function askTcp(): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: Number(port), localPort: Number(sourcePort), timeout: limitMs });
    let answer = "";
    socket.setEncoding("utf8").on("data", (text) => {
      answer += text;
    });
    socket.on("end", () => resolve(answer.trim()));
    socket.on("timeout", () => {
      socket.destroy();
      resolve("timeout");
    });
    socket.on("error", (error) => resolve(error.message));
  });
}

function askUdp(): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    const finish = (answer: string) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer.trim());
    };
    const timer = setTimeout(() => finish("timeout"), limitMs);
    socket.on("message", (message) => finish(message.toString()));
    socket.on("error", (error) => finish(error.message));
    // Connected, so that an answer from another address does not count.
    socket.bind(Number(sourcePort), () => socket.connect(Number(port), address, () => socket.send("?")));
  });
}

for (let count = 0; count < Number(times); count++) console.log(await (protocol === "tcp" ? askTcp() : askUdp()));
