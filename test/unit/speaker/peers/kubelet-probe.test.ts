import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { describe, test } from "node:test";
import { Worker } from "node:worker_threads";
import type { ProgramsAnswer } from "../../../../speaker/membership/inputs.ts";
import { probeKubelet } from "../../../../speaker/peers/kubelet-probe.ts";
import { systemClock } from "../../../../src/clock/clock.ts";

const host = "127.0.0.1";

async function listen(server: Server): Promise<number> {
  server.listen(0, host);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Probes a server that does this with each connection. */
async function probe(serve: (socket: Socket) => void): Promise<ProgramsAnswer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    serve(socket);
  });
  const port = await listen(server);
  try {
    return await probeKubelet(host, port, systemClock);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

/** The first bytes of a TLS alert record: handshake_failure. */
const alert = Buffer.from("15030300020228", "hex");

describe("a connection to a kubelet", () => {
  const rows: readonly {
    readonly name: string;
    readonly serve: (socket: Socket) => void;
    readonly answer: ProgramsAnswer;
  }[] = [
    { name: "is silent if it is accepted and nothing follows", serve: () => {}, answer: "silent" },
    { name: "is answered by any byte", serve: (socket) => socket.write(alert.subarray(0, 1)), answer: "answered" },
    { name: "is answered by a refusal of TLS", serve: (socket) => socket.end(alert), answer: "answered" },
    {
      name: "is answered by what is not TLS",
      serve: (socket) => socket.end("HTTP/1.1 400\r\n\r\n"),
      answer: "answered",
    },
    {
      name: "is answered by a byte that comes late",
      serve: (socket) => setTimeout(() => socket.write(alert), 200),
      answer: "answered",
    },
    { name: "says nothing if it is closed without a byte", serve: (socket) => socket.end(), answer: "unknown" },
    { name: "says nothing if it is reset", serve: (socket) => socket.resetAndDestroy(), answer: "unknown" },
  ];
  for (const { name, serve, answer } of rows) test(name, async () => assert.equal(await probe(serve), answer));

  test("says nothing if it is refused", async () => {
    const server = createServer();
    const port = await listen(server);
    server.close();
    await once(server, "close");
    assert.equal(await probeKubelet(host, port, systemClock), "unknown");
  });

  test("begins a handshake and sends nothing else", async () => {
    const received: Buffer[] = [];
    await probe((socket) => socket.on("data", (data) => received.push(data)));
    const [first] = received;
    // A record of type handshake (22) whose first message is a ClientHello (1).
    assert.deepEqual([first?.[0], first?.[5]], [22, 1]);
    assert.equal(Buffer.concat(received).length, 5 + (first?.readUInt16BE(3) ?? 0));
  });

  test("is answered although this thread did not run until its time was over", async () => {
    const answers = new Worker(
      `const { createServer } = require("node:net");
       const { parentPort } = require("node:worker_threads");
       const server = createServer((socket) => {
         socket.on("error", () => {});
         socket.once("data", () => socket.write(Buffer.from("${alert.toString("hex")}", "hex")));
       });
       server.listen(0, "${host}", () => parentPort.postMessage(server.address().port));`,
      { eval: true },
    );
    const [port] = (await once(answers, "message")) as [number];
    const answer = await probeKubelet(host, port, {
      ...systemClock,
      after(ms, callback) {
        // It is about to be accepted, or was a moment ago: the thread is blocked for longer than it may take.
        const cancel = systemClock.after(ms, callback);
        setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms + 100));
        return cancel;
      },
    });
    await answers.terminate();
    assert.equal(answer, "answered");
  });
});
