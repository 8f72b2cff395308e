import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { counterNames } from "../../speaker/responder/counters.ts";
import { createResponder } from "../../speaker/responder/responder.ts";
import { systemClock } from "../../src/clock/clock.ts";
import { addressBytes, parseAddress } from "../../src/ip/address.ts";
import { createLogger } from "../../src/log/log.ts";
import { parseMac } from "../../src/packet/mac.ts";

/**
 * The real responder thread in a process of its own: announces on the interface named first what comes after it. Lines on
 * standard input: `set ADDRESS…`, `probe ADDRESS…` for more addresses, which are probed first, or `stop`, each answered by a line of counters.
 */
const [interfaceName = "", ...first] = process.argv.slice(2);
const holding = new Set<string>();
const responder = createResponder({
  node: "n1",
  onConflict: "defend",
  heartbeatPort: 7482,
  clock: systemClock,
  heartbeatIntervalMs: 100,
  changes: {
    factsObserved(facts) {
      for (const fact of facts) if (fact.kind === "holding") holding.add(fact.address);
      for (const fact of facts) if (fact.kind === "released") holding.delete(fact.address);
    },
    programsQuestioned: () => undefined,
    hearingChanged: () => undefined,
    interfaceFailed: () => undefined,
    addressUseObserved: (address, by) =>
      console.log(`used ${address} ${by === undefined ? "by none" : Buffer.from(by.mac).toString("hex")}`),
    conflictObserved: ({ address, mac }) =>
      console.log(`conflict ${address.join(".")} ${Buffer.from(mac).toString("hex")}`),
    responderDied: (error) => {
      throw error;
    },
  },
  log: createLogger("info", "test", process.stderr),
});
await responder.start();
const read = (file: string) => readFileSync(`/sys/class/net/${interfaceName}/${file}`, "utf8").trim();
const mac = read("address");

responder.send({
  kind: "setInterface",
  name: interfaceName,
  index: Number(read("ifindex")),
  mac: parseMac(mac) ?? new Uint8Array(6),
});
let announced: readonly string[] = [];

/** Resolves when they alone are announced, those to be probed excepted: at its start the thread first listens to other nodes. */
async function set(addresses: readonly string[], probe?: "new"): Promise<void> {
  for (const text of announced) if (!addresses.includes(text)) responder.send({ kind: "removeStake", address: text });
  announced = addresses;
  for (const text of addresses) {
    const parsed = parseAddress(text);
    if (parsed === undefined) continue;
    const { family } = parsed;
    const common = { owners: ["n1"], createdSeconds: 0, term: 1, armed: true, interfaces: [interfaceName] };
    const stake = { address: text, family, bytes: addressBytes(parsed), ...common };
    responder.send({ kind: "setStake", stake, probe });
  }
  if (probe !== undefined) return;
  const done = () => holding.size === addresses.length && addresses.every((text) => holding.has(text));
  while (!done()) await sleep(10);
}

// As the speaker does it: without a beat the thread falls silent, and a test file may run for longer than that takes.
setInterval(() => responder.signalAlive(), 2_000);
await set(first);
console.log(`ready ${mac}`);
for await (const chunk of process.stdin.setEncoding("utf8")) {
  for (const line of String(chunk).trim().split("\n")) {
    const [command, ...addresses] = line.split(" ");
    if (command === "set") await set(addresses);
    if (command === "probe") await set([...announced, ...addresses], "new");
    if (command === "stop") await responder.stop();
    console.log(JSON.stringify(Object.fromEntries(counterNames.map((name) => [name, responder.counters.read(name)]))));
    if (command === "stop") process.exit(0);
  }
}
