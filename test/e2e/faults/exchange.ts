import assert from "node:assert/strict";
import { waitFor } from "../../lab/wait.ts";
import type { Api } from "../api.ts";
import type { ControllerProcess } from "./controller-process.ts";
import type { FaultLab } from "./fault-lab.ts";

const addresses = { blue: "fd30::f0e1", green: "fd30::f0e2" };
const names = ["blue", "green"] as const;

/** How the leader stops leading after the first Service has given up its address. */
interface LeadershipLoss {
  readonly name: string;
  readonly key: string;
  readonly begin: (leader: ControllerProcess) => void;
}

export const leadershipLosses: readonly LeadershipLoss[] = [
  { name: "the leader is killed (SIGKILL)", key: "killed", begin: (leader) => leader.kill() },
  {
    name: "the leader cannot renew its lease any longer",
    key: "unrenewed",
    begin: ({ proxy }) => {
      proxy.script = ({ path }) => (path.includes("/leases/") ? { kind: "cut", done: false } : undefined);
    },
  },
  {
    name: "the leader reaches the API server no longer",
    key: "cut",
    begin: ({ proxy }) => {
      proxy.script = () => ({ kind: "cut", done: false });
      proxy.cutAll();
    },
  },
];

/** A leader and a standby. */
export async function startPair({ start }: FaultLab): Promise<readonly [ControllerProcess, ControllerProcess]> {
  const first = await start({ elect: true });
  await waitFor({ what: "the first to lead", timeoutMs: 30_000 }, async () => first.log.includes('"started leading"'));
  return [first, await start({ elect: true })];
}

/** Two Services request each other's addresses; the leader stops leading when one of them has given up its address. */
export async function testLossDuringExchange(lab: FaultLab, { name, begin }: LeadershipLoss): Promise<void> {
  const { api, services, table, bystanders, stop } = lab;
  const [first, second] = await startPair(lab);
  for (const service of names) await request(api, service, addresses[service]);
  await waitForShown(api, { blue: addresses.blue, green: addresses.green });
  const lost = new Promise<void>((resolve) => {
    first.proxy.afterwards = ({ method, path }) => {
      if (method !== "PATCH" || !path.includes("/virtualips/")) return;
      first.proxy.afterwards = () => {};
      begin(first);
      resolve();
    };
  });
  await request(api, "blue", addresses.green);
  await request(api, "green", addresses.blue);
  await lost;
  await waitForShown(api, { blue: addresses.green, green: addresses.blue });
  first.proxy.script = () => undefined;
  await services.delete(names);
  await services.settle(bystanders);
  await stop(first);
  await stop(second);
  const step = "after one of two Services that exchange their addresses has given up its own";
  table.add(`${name}, with a standby`, step, "the standby completes the exchange; no address is in both");
}

function request(api: Api, name: string, address: string): Promise<unknown> {
  const spec = {
    type: "LoadBalancer",
    ipFamilies: ["IPv6"],
    ipFamilyPolicy: "SingleStack",
    allocateLoadBalancerNodePorts: false,
    loadBalancerIP: address,
    ports: [{ port: 80, protocol: "TCP" }],
  };
  return api.apply({ apiVersion: "v1", kind: "Service", metadata: { name }, spec });
}

async function waitForShown(api: Api, wanted: Readonly<Record<string, string>>): Promise<void> {
  const text = JSON.stringify(wanted);
  await waitFor({ what: `the addresses ${text}`, timeoutMs: 90_000, intervalMs: 100 }, async () => {
    const shown = await Promise.all(
      names.map(async (name) => (await api.get("v1", "Service", name)).status?.loadBalancer?.ingress?.[0]?.ip),
    );
    assert.ok(shown[0] === undefined || shown[0] !== shown[1], `both show ${shown[0]}`);
    return JSON.stringify({ blue: shown[0], green: shown[1] }) === text ? true : undefined;
  });
}
