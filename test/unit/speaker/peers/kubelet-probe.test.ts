import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { describe, test } from "node:test";
import { createServer as createTlsServer } from "node:tls";
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

/** A certificate for nothing, signed by itself, and its key: no client checks them. */
const certificate =
  "MIIBezCCASGgAwIBAgIUdvpQmv4rdClv7Favs68rCFc6LogwCgYIKoZIzj0EAwIwEjEQMA4GA1UEAwwHa3ViZWxldDAgFw0yNjExMjkwMDQyMj" +
  "daGA8yMTI2MTEwNTAwNDIyN1owEjEQMA4GA1UEAwwHa3ViZWxldDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABBl170DYQt5hDLSanntfZ2Vu" +
  "w0NiogP18KeHaoyA1s4I8T2RAI++Ur6N4dh4Yskbwsk3UZKes4ZpxO4/dHXUhEWjUzBRMB0GA1UdDgQWBBTabqTuFwW2RCKkjoDOsWfkZ7nq9D" +
  "AfBgNVHSMEGDAWgBTabqTuFwW2RCKkjoDOsWfkZ7nq9DAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIDZIZJTFBXiSLCK43Dtl" +
  "nipsMEJCWsYCaECI0rwiu+cRAiEAuS6faZF3Mm6w0b/h7WB1FvtFECat8UFngzchYHQlCp4=";
const privateKey =
  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgh+bySvLxpASzKDymw6iZx+e/VfrTOtAj0tr2QjrAW3+hRANCAAQZde9A2ELeYQ" +
  "y0mp57X2dlbsNDYqID9fCnh2qMgNbOCPE9kQCPvlK+jeHYeGLJG8LJN1GSnrOGacTuP3R11IRF";
const pem = (label: string, base64: string) => `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`;

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

  test("ends in peace where TLS is spoken, so that a kubelet logs no error", async () => {
    const options = { cert: pem("CERTIFICATE", certificate), key: pem("PRIVATE KEY", privateKey), requestCert: true };
    const seen: string[] = [];
    const server = createTlsServer({ ...options, rejectUnauthorized: false });
    server.on("tlsClientError", (error) => seen.push(String(error)));
    const ended = once(server, "secureConnection").then(async ([socket]) => {
      socket.resume();
      await once(socket, "end");
      seen.push("ended");
    });
    const port = await listen(server);
    assert.equal(await probeKubelet(host, port, systemClock), "answered");
    await Promise.race([ended, once(server, "tlsClientError")]);
    server.close();
    assert.deepEqual(seen, ["ended"]);
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
