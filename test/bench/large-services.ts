import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { V1Service } from "@kubernetes/client-node";
import { groupVersion } from "../../src/api/api.ts";
import { FakeApiServer } from "../../src/kube/fake.ts";
import { ownPath } from "../../src/kube/path.ts";
import { waitFor } from "../lab/wait.ts";
import { wholeNumber } from "../lab/whole-number.ts";
import { serveFake } from "../unit/src/kube/serve-fake.ts";
import { bundleProgram } from "./bundle.ts";
import { measuredNode } from "./measured-node.ts";

/**
 * Services whose annotations are as large as the API server allows, and in characters that take six bytes of JSON: the memory of a
 * controller that lists and watches them, and whether it leads and assigns addresses meanwhile. It has the API server of the unit tests
 * over HTTP. Run it with `npm run bench -- large-services [count] [checkout]`; a checkout of an older version gives what was before.
 */
const count = wholeNumber("count", process.argv[2] ?? "90", { from: 1, to: 10_000 });
const here = dirname(fileURLToPath(import.meta.url));
const checkout = process.argv[3] ?? join(here, "../..");
/** 256 KiB are allowed for all annotations of an object (TotalAnnotationSizeLimitB); this leaves room for the others. */
const large = "<".repeat(250 * 1024);
const patienceMs = 60_000;
const services = "/api/v1/namespaces/default/services";

const api = new FakeApiServer();
const post = (path: string, body: unknown) => api.request({ method: "POST", path, body });
await post(ownPath("ipaddresspools"), {
  apiVersion: groupVersion,
  kind: "IPAddressPool",
  metadata: { name: "lan" },
  spec: { addresses: ["192.0.2.0/24"] },
});
await post("/api/v1/namespaces", { metadata: { name: "default" } });
for (let index = 0; index < count; index++) {
  const metadata = { name: `large${index}`, annotations: { large } };
  await post(services, { metadata, spec: { type: "ClusterIP", ports: [{ port: 80, protocol: "TCP" }] } });
}
const served = await serveFake(api);
const folder = mkdtempSync(join(tmpdir(), "bellhop-bench-"));
const program = join(folder, "controller.mjs");
const source = join(here, "large-services-controller.ts");
await bundleProgram(source, program, join(checkout, "test/bench"));
const controller = spawn(measuredNode.command, [...measuredNode.options, program, served.url], {
  stdio: ["ignore", "pipe", "ignore"],
});
let terms = 0;
let stallMs = 0;
controller.stdout?.on("data", (data) => {
  terms += String(data).match(/^term /gm)?.length ?? 0;
  stallMs = Number(/^stall (\d+)/m.exec(String(data))?.[1] ?? stallMs);
});
try {
  await measure("start", () => assign("first"));
  await measure("every Service changed", async () => {
    for (let index = 0; index < count; index++) {
      const body = { metadata: { annotations: { change: String(index) } } };
      const path = `${services}/large${index}`;
      await api.request({ method: "PATCH", path, body, contentType: "application/merge-patch+json" });
      // So that the controller's lease is renewed meanwhile.
      await nextTurn();
    }
    await assign("second");
  });
  await measure("every watch expired", async () => {
    api.compact();
    api.sendError(410, "Expired");
    await assign("third");
  });
  await sleep(10_000);
  report("10 s later");
  process.stdout.write(`terms of leadership: ${terms}\n`);
} finally {
  controller.kill();
  rmSync(folder, { recursive: true });
  await served.close();
}

/** Waits until a new Service has an address, which nobody but a leader gives. */
async function assign(name: string): Promise<void> {
  await post(services, {
    metadata: { name },
    spec: { type: "LoadBalancer", ipFamilies: ["IPv4"], ports: [{ port: 80, protocol: "TCP" }] },
  });
  const what = `an address for Service ${name}`;
  await waitFor({ what, timeoutMs: patienceMs, intervalMs: 100 }, async () => {
    if (controller.exitCode !== null) throw new Error(`the controller has ended with exit code ${controller.exitCode}`);
    const service = (await api.request({ method: "GET", path: `${services}/${name}` })).body as V1Service;
    return service.status?.loadBalancer?.ingress?.[0];
  });
}

async function measure(what: string, work: () => Promise<void>): Promise<void> {
  const startedMs = performance.now();
  try {
    await work();
    controller.kill("SIGUSR2");
    await sleep(200);
    process.stdout.write(`longest stall of its event loop: ${stallMs} ms\n`);
    report(`${what}, ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  } catch (error) {
    report(`${what}: FAILED, ${String(error)}`);
  }
}

function report(what: string): void {
  const { now, peak } = residentOf(controller);
  process.stdout.write(`${what}: ${now} MiB, at most ${peak} MiB so far\n`);
}

/** Resident memory (proc_pid_status(5)). */
function residentOf({ pid }: ChildProcess): { readonly now: number; readonly peak: number } {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  const of = (field: string): number =>
    Math.round(Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(text)?.[1]) / 1024);
  return { now: of("VmRSS"), peak: of("VmHWM") };
}
