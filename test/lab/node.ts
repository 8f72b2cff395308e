import { existsSync } from "node:fs";
import { type LabFamilies, nodeAddresses, ofFamilies } from "./addresses.ts";
import { callApi } from "./api.ts";
import { createCgroups, removeCgroups } from "./cgroups.ts";
import { runCommand } from "./command.ts";
import { apiSocket } from "./control-plane.ts";
import { LabError } from "./error.ts";
import { thawCgroup } from "./freezer.ts";
import { bootNode, enterHost, hostProcess, startDaemon } from "./namespaces.ts";
import { connectHost, unplug } from "./network.ts";
import { CONTAINERD_CONFIG, CONTAINERD_SOCKET, KUBERNETES_FOLDER, nodeCgroup, nodeDisk } from "./node-files.ts";
import { killAndWait } from "./processes.ts";
import type { LabState } from "./state.ts";
import { waitFor } from "./wait.ts";

/** Where a node sees the lab's programs. */
const PROGRAMS = "/run/lab/bin";

function start(state: LabState, node: string, program: string, flags: readonly string[]) {
  const argv = [`${PROGRAMS}/${program}`, ...flags];
  return startDaemon(state, { name: `${node}.${program}`, host: node, argv, programs: PROGRAMS });
}

/** Switches a node on, connects it, and waits for its container runtime; pods come with startKubelet. */
export async function startMachine(
  state: LabState,
  node: string,
  nodes: readonly string[],
  programs: string,
  families: LabFamilies,
) {
  createCgroups(nodeCgroup(state, node));
  await bootNode(state, node, nodeDisk(state, node), programs);
  await connectHost(state, node, nodes, families);
  await start(state, node, "containerd", ["--config", CONTAINERD_CONFIG]);
  const socket = `/proc/${hostProcess(state, node).pid}/root${CONTAINERD_SOCKET}`;
  const logFile = state.logFile(`${node}.containerd`);
  const what = `containerd on ${node} to listen`;
  const hope = () => state.isRunning(`${node}.containerd`);
  await waitFor({ what, timeoutMs: 30_000, logFile, hope }, async () => existsSync(socket));
}

/** Starts kubelet and kube-proxy on a node that runs. */
export async function startKubelet(state: LabState, node: string, families: LabFamilies): Promise<void> {
  await start(state, node, "kubelet", [
    ...["--config", `${KUBERNETES_FOLDER}/kubelet.json`, "--kubeconfig", `${KUBERNETES_FOLDER}/kubelet.kubeconfig`],
    ...["--hostname-override", node, "--node-ip", ofFamilies(families, nodeAddresses(node)).join(",")],
  ]);
  await start(state, node, "kube-proxy", ["--config", `${KUBERNETES_FOLDER}/kube-proxy.json`]);
}

interface NodeObject {
  spec: { taints?: { key: string }[] };
  status: { conditions?: { type: string; status: string; lastHeartbeatTime: string }[] };
}

/** Whether a node is ready and open for pods, by what its kubelet has said since `sinceMs` (as Date.now() gives it): what
 * it said before it was switched off stays in the API for most of a minute. */
export async function isNodeReady(state: LabState, node: string, sinceMs = 0): Promise<boolean> {
  const object = await callApi<NodeObject>(apiSocket(state), "GET", `/api/v1/nodes/${node}`);
  const ready = object.status.conditions?.find((condition) => condition.type === "Ready");
  // The API's times are whole seconds.
  if (ready?.status !== "True" || Date.parse(ready.lastHeartbeatTime) < Math.floor(sinceMs / 1000) * 1000) return false;
  return !object.spec.taints?.some((taint) => taint.key.startsWith("node.kubernetes.io/"));
}

/** Waits until a node takes pods and its kube-proxy has written its first set of rules. */
export async function waitForNode(state: LabState, node: string, sinceMs: number, timeoutMs = 60_000): Promise<void> {
  const what = `node ${node} to be ready`;
  const logFile = state.logFile(`${node}.kubelet`);
  const hope = (program: string) => () => state.isRunning(`${node}.${program}`);
  const waiting = { what, timeoutMs, intervalMs: 200, logFile, hope: hope("kubelet") };
  await waitFor(waiting, () => isNodeReady(state, node, sinceMs));
  const command = [...enterHost(state, node), "curl", "-sf", "http://127.0.0.1:10256/healthz"];
  const forProxy = {
    ...{ what: `kube-proxy on ${node} to be ready`, timeoutMs, intervalMs: 200 },
    ...{ logFile: state.logFile(`${node}.kube-proxy`), hope: hope("kube-proxy") },
  };
  await waitFor(forProxy, async () => {
    const answer = await runCommand(command, { timeoutMs: 5_000 });
    return answer.code === 0;
  });
}

/** Switches a node off as a power failure does: no last packet, nothing shut down, its disk as it is at that moment. */
export async function stopMachine(state: LabState, node: string): Promise<void> {
  const record = hostProcess(state, node);
  await unplug(state, node);
  await thawCgroup(nodeCgroup(state, node));
  await killAndWait(record);
  await removeCgroups(nodeCgroup(state, node));
}

/** Switches a node on again, with its disk, and waits until it is ready. */
export async function restartMachine(
  state: LabState,
  node: string,
  nodes: readonly string[],
  programs: string,
  families: LabFamilies,
) {
  if (state.isRunning(node)) throw new LabError("bad-option", `node ${node} is running`);
  const since = Date.now();
  await startMachine(state, node, nodes, programs, families);
  await startKubelet(state, node, families);
  await waitForNode(state, node, since);
}
