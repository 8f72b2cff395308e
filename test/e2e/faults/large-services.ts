import assert from "node:assert/strict";
import type { Manifest } from "../api.ts";
import type { FaultLab } from "./fault-lab.ts";

const count = 90;
/** Almost as much as the API server allows for all annotations of an object. In JSON each of these characters has six. */
const annotation = "<".repeat(255 * 1024);
/** The memory that the manifest allows a controller (deploy/base/controller.yaml), in MiB. */
const memoryLimitMiB = 512;

/** A Service that no load balancer serves, with as much text as the API server allows. */
export function bulkyService(name: string): Manifest {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, annotations: { "example.com/text": annotation } },
    spec: { ports: [{ port: 80, protocol: "TCP" }] },
  };
}

/** The lists that a controller reads when it starts, and its watches, have to carry all of them. */
export async function testLargeServices({ api, services, table, bystanders, start, stop }: FaultLab): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `large-${index}`);
  await inGroups(names, (name) => api.apply(bulkyService(name)));
  for (const [how, watchLists] of [
    ["by WatchList", true],
    ["in pages", false],
  ] as const) {
    const controller = await start({
      prepare: (proxy) => {
        if (!watchLists)
          proxy.script = ({ isWatch, isList }) =>
            isWatch && isList ? { kind: "answer", status: 422, reason: "Invalid" } : undefined;
      },
    });
    await services.create(["small"]);
    await services.settle([...bystanders, "small"]);
    await services.delete(["small"]);
    await services.settle(bystanders);
    assert.ok(controller.isRunning);
    const peakMiB = controller.peakMemoryMiB;
    process.stderr.write(`ninety large Services ${how}: at most ${Math.round(peakMiB)} MiB\n`);
    assert.ok(peakMiB < memoryLimitMiB, `${peakMiB} MiB`);
    await stop(controller);
    const outcome = `the controller reads them, in less than the ${memoryLimitMiB} MiB of its manifest; each Service has one address`;
    table.add(`90 Services of 1.5 MB each, read ${how}`, "start, create a Service, delete it", outcome);
  }
  await inGroups(names, (name) => api.delete("v1", "Service", name));
}

/** A few at a time, so that no request waits for long. */
async function inGroups(names: readonly string[], work: (name: string) => Promise<unknown>): Promise<void> {
  for (let begin = 0; begin < names.length; begin += 10)
    await Promise.all(names.slice(begin, begin + 10).map(async (name) => work(name)));
}
