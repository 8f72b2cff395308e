import { createSocket } from "node:dgram";
import { createInterface } from "node:readline";

/**
 * A client with one UDP flow to an address, port 5353. Lines on standard input: `ask` sends a datagram and says what was answered; `send COUNT`
 * sends so many without waiting for answers, with the longest way that IP allows, and says how many nanoseconds each call took, as JSON.
 */
const [address = ""] = process.argv.slice(2);
const socket = createSocket("udp4");
// No answer, or an ICMP error of the last router of the way.
socket.on("error", () => undefined);
await new Promise<void>((resolve) => socket.connect(5353, address, resolve));
socket.setTTL(255);

/** The kernel carries a datagram all its way within the call that sends it, where the whole way is on this machine. */
async function send(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const startNs = process.hrtime.bigint();
  socket.send("?", () => resolve());
  const ns = Number(process.hrtime.bigint() - startNs);
  await promise;
  return ns;
}

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const [word, count] = line.split(" ");
  if (word === "ask") {
    const answer = new Promise<string>((resolve) => socket.once("message", (message) => resolve(message.toString())));
    await send();
    console.log((await answer).trim());
    continue;
  }
  const times: number[] = [];
  for (let index = 0; index < Number(count); index++) times.push(await send());
  console.log(JSON.stringify(times));
}
