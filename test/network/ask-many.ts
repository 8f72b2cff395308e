import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { patiently } from "./patience.ts";

/** One connection of a client, from an address and a port of its own. */
export interface Ask {
  readonly protocol: "tcp" | "udp";
  readonly source: string;
  readonly sourcePort: number;
  readonly address: string;
  readonly port: number;
}

/** Long enough for an answer on a busy machine, and shorter than the second after which TCP sends again. */
const limitMs = patiently(800);

/** The answer, `refused`, or `silence`. */
function ask({ protocol, source, sourcePort, address, port }: Ask): Promise<string> {
  return new Promise((resolve) => {
    const { end, begin } = protocol === "tcp" ? tcp() : udp();
    const timer = setTimeout(() => finish("silence"), limitMs);
    function finish(answer: string): void {
      clearTimeout(timer);
      end();
      resolve(answer);
    }
    const failed = ({ message }: Error) => finish(message.includes("ECONNREFUSED") ? "refused" : message);
    begin();

    function tcp() {
      const socket = connect({ host: address, port, localAddress: source, localPort: sourcePort });
      const begin = () => socket.on("data", (data) => finish(data.toString())).on("error", failed);
      return { begin, end: () => socket.destroy() };
    }
    function udp() {
      const socket = createSocket(source.includes(":") ? "udp6" : "udp4");
      const begin = () => {
        socket.on("message", (message) => finish(message.toString())).on("error", failed);
        socket.bind(sourcePort, source, () => socket.connect(port, address, () => socket.send("?")));
      };
      return { begin, end: () => socket.close() };
    }
  });
}

/** Each line is a list of connections, which are made side by side; the answer is a line with a list of answers. */
if (import.meta.main) {
  console.log("ready");
  for await (const line of createInterface({ input: process.stdin })) {
    const asks: readonly Ask[] = JSON.parse(line);
    console.log(JSON.stringify(await Promise.all(asks.map(ask))));
  }
}
