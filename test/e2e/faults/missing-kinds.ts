import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { createSpeaker, installKinds } from "./bare-lab.ts";
import type { FaultLab } from "./fault-lab.ts";

/** Long enough for all watches to end and to be opened again in vain. */
const absentMs = 8_000;

/** Bellhop's kinds are deleted with all their objects, and created again with the pool. */
export async function testMissingKinds({ api, services, table, bystanders, start, stop }: FaultLab): Promise<void> {
  const controller = await start();
  const shown = async (): Promise<readonly string[]> => {
    const all = await Promise.all(bystanders.map((name) => api.get("v1", "Service", name)));
    return all.map(({ status }) => status?.loadBalancer?.ingress?.[0]?.ip);
  };
  const before = await shown();
  const kinds = ["virtualips", "ipaddresspools", "l2advertisements", "speakers"].map((name) => `${name}.bellhop.dev`);
  await api.lab.kubectl(["delete", "crd", ...kinds, "--timeout=30s"]);
  await services.create(["meanwhile"]);
  await sleep(absentMs);
  assert.deepEqual(await shown(), before, "nothing that is shown changes");
  assert.ok(controller.isRunning);
  await installKinds(api.lab);
  await createSpeaker(api.lab);
  await services.prepare();
  await services.settle([...bystanders, "meanwhile"]);
  assert.deepEqual(await shown(), before);
  await services.delete(["meanwhile"]);
  await services.settle(bystanders);
  await stop(controller);
  table.add(
    "the CustomResourceDefinitions are deleted, and created again with the pool 8 s later",
    "a Service is created meanwhile",
    "no address changes; each Service has its VirtualIP again, and the new one its address",
  );
}
