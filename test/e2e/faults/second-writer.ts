import { waitFor } from "../../lab/wait.ts";
import type { Api, ApiObject } from "../api.ts";
import type { FaultLab } from "./fault-lab.ts";

const name = "contested";
const manager = "fault-load-balancer";
const theirs = "fd31::7";

/** Another client replaces the address of a Service, and again when it is ours again. */
export async function testSecondWriter({ api, services, table, bystanders, start, stop }: FaultLab): Promise<void> {
  const controller = await start();
  await services.create([name]);
  await services.settle([...bystanders, name]);
  const [ours = ""] = await api.waitForAddresses(name);
  for (let round = 0; round < 2; round++) {
    await writeStatus(api);
    await waitFor({ what: "our address to be back", timeoutMs: 20_000 }, async () =>
      (await api.waitForAddresses(name)).includes(ours) ? true : undefined,
    );
  }
  await waitFor({ what: "the second client to be reported", timeoutMs: 60_000 }, async () => {
    const { reason, message } = conditionOf(await api.get("v1", "Service", name));
    return reason === "StatusOverwritten" && message.includes(manager) ? true : undefined;
  });
  await waitFor({ what: "an event that names the second client", timeoutMs: 30_000 }, async () => {
    const events = await api.events("Service", name);
    return events.some(({ reason, note }) => reason === "StatusOverwritten" && note.includes(manager)) || undefined;
  });
  await services.settle([...bystanders, name]);
  await services.delete([name]);
  await services.settle(bystanders);
  await stop(controller);
  const outcome =
    "our address is written again each time; from the second time on, condition and event name the field manager of the client";
  table.add("another client writes the status of a Service", "twice within a minute", outcome);
}

async function writeStatus(api: Api): Promise<void> {
  const path = `/api/v1/namespaces/${api.namespace}/services/${name}/status?fieldManager=${manager}&force=true`;
  const status = { loadBalancer: { ingress: [{ ip: theirs, ipMode: "VIP" }] } };
  await api.lab.api("PATCH", path, { apiVersion: "v1", kind: "Service", metadata: { name }, status });
}

function conditionOf({ status }: ApiObject): { readonly reason: string; readonly message: string } {
  const conditions: { type: string; reason: string; message: string }[] = status?.conditions ?? [];
  return conditions.find(({ type }) => type === "bellhop.dev/AddressReady") ?? { reason: "", message: "" };
}
