import { existsSync, writeFileSync } from "node:fs";
import {
  CONTROL,
  type LabFamilies,
  nodePodRanges,
  ofFamilies,
  POD_RANGES,
  primary,
  SERVICE_RANGES,
} from "./addresses.ts";
import { askApi, callApi } from "./api.ts";
import { certificatePath, kubeconfig } from "./certificates.ts";
import { startDaemon } from "./namespaces.ts";
import { killAndWait, sendSignal } from "./processes.ts";
import type { LabState } from "./state.ts";
import { waitFor } from "./wait.ts";

const ETCD = "http://127.0.0.1:2379";
const API_SERVER = "kube-apiserver";

function start(state: LabState, programs: string, name: string, program: string, flags: readonly string[]) {
  return startDaemon(state, { name, host: "control", argv: [`${programs}/${program}`, ...flags], programs });
}

/** The kubeconfig of the lab's administrator, for programs that run on the client or on the control plane's host. */
export function adminKubeconfig(state: LabState): string {
  return state.path("admin.kubeconfig");
}

/** The unix socket at which the API answers the administrator in plain HTTP. */
export function apiSocket(state: LabState): string {
  return state.path("api.sock");
}

/** Starts etcd, which forgets nothing until the lab is taken down, but does not wait for the disk either. */
export async function startEtcd(state: LabState, programs: string): Promise<void> {
  await start(state, programs, "etcd", "etcd", [
    ...["--data-dir", state.path("etcd"), "--unsafe-no-fsync"],
    ...["--listen-client-urls", ETCD, "--advertise-client-urls", ETCD],
    ...["--listen-peer-urls", "http://127.0.0.1:2380", "--log-level", "warn"],
  ]);
}

/** Starts the API server on what etcd holds; does not wait until it answers. */
export async function startApiServer(state: LabState, programs: string, families: LabFamilies): Promise<void> {
  const file = (name: string) => certificatePath(state, name);
  await start(state, programs, API_SERVER, API_SERVER, [
    ...["--etcd-servers", ETCD, "--bind-address", "::", "--secure-port", "6443"],
    ...["--advertise-address", primary(families, CONTROL)],
    ...["--service-cluster-ip-range", ofFamilies(families, SERVICE_RANGES).join(",")],
    ...["--authorization-mode", "Node,RBAC", "--enable-admission-plugins", "NodeRestriction", "--allow-privileged"],
    ...["--client-ca-file", file("ca.crt"), "--cert-dir", state.path("certificates")],
    ...["--tls-cert-file", file("kube-apiserver.crt"), "--tls-private-key-file", file("kube-apiserver.key")],
    ...["--service-account-issuer", "https://kubernetes.default.svc"],
    ...["--service-account-key-file", file("service-accounts.key")],
    ...["--service-account-signing-key-file", file("service-accounts.key")],
    ...["--kubelet-client-certificate", file("admin.crt"), "--kubelet-client-key", file("admin.key")],
    ...["--kubelet-certificate-authority", file("ca.crt"), "--kubelet-preferred-address-types", "InternalIP"],
    // No kube-proxy runs beside the API server, so it reaches webhooks at their pods and not at their Services.
    "--enable-aggregator-routing",
  ]);
}

/** Starts the proxy that gives the API to this machine at a unix socket; it outlives the API server. */
export async function startApiSocket(state: LabState, programs: string, families: LabFamilies): Promise<void> {
  writeFileSync(adminKubeconfig(state), kubeconfig(state, "admin", families), { mode: 0o600 });
  const flags = ["proxy", "--unix-socket", apiSocket(state), "--disable-filter"];
  await start(state, programs, "kubectl-proxy", "kubectl", ["--kubeconfig", adminKubeconfig(state), ...flags]);
}

/** Waits until the API server says that it is ready, its first roles included. */
export async function waitForApi(state: LabState, timeoutMs = 60_000): Promise<void> {
  const what = "the API server to be ready";
  const hope = () => state.isRunning(API_SERVER);
  await waitFor({ what, timeoutMs, intervalMs: 100, logFile: state.logFile(API_SERVER), hope }, async () => {
    if (!existsSync(apiSocket(state))) return false;
    return (await askApi(apiSocket(state), "GET", "/readyz", undefined, 2_000)).status === 200;
  });
}

/** Starts the controllers and the scheduler. */
export async function startControllers(state: LabState, programs: string, families: LabFamilies): Promise<void> {
  const file = (name: string) => certificatePath(state, name);
  const startOne = async (program: string, flags: string[]) => {
    const config = state.path(`${program}.kubeconfig`);
    writeFileSync(config, kubeconfig(state, program, families), { mode: 0o600 });
    await start(state, programs, program, program, ["--kubeconfig", config, "--leader-elect=false", ...flags]);
  };
  await Promise.all([
    startOne("kube-scheduler", []),
    startOne("kube-controller-manager", [
      ...["--allocate-node-cidrs", "--cluster-cidr", ofFamilies(families, POD_RANGES).join(",")],
      // The size of a family that the cluster does not have is refused.
      ...ofFamilies(families, { ipv4: "--node-cidr-mask-size-ipv4=24", ipv6: "--node-cidr-mask-size-ipv6=64" }),
      ...["--service-cluster-ip-range", ofFamilies(families, SERVICE_RANGES).join(",")],
      "--use-service-account-credentials",
      ...["--service-account-private-key-file", file("service-accounts.key"), "--root-ca-file", file("ca.crt")],
    ]),
  ]);
}

/** Creates a Node object ahead of its kubelet, with the pod ranges of our plan: the node's pod network can then be
 * written before the node starts, instead of waiting for what the controllers choose. */
export async function createNodeObject(state: LabState, node: string, families: LabFamilies): Promise<void> {
  const podCIDRs = ofFamilies(families, nodePodRanges(node));
  await callApi(apiSocket(state), "POST", "/api/v1/nodes", {
    metadata: { name: node },
    spec: { podCIDR: podCIDRs[0], podCIDRs },
  });
}

/** Kills the API server without a word to anyone. */
export async function stopApiServer(state: LabState): Promise<void> {
  const record = state.readProcess(API_SERVER);
  if (record !== undefined) await killAndWait(record);
}

/** Starts the API server again unless it runs, and waits until it is ready. */
export async function restartApiServer(state: LabState, programs: string, families: LabFamilies): Promise<void> {
  if (!state.isRunning(API_SERVER)) await startApiServer(state, programs, families);
  await waitForApi(state);
}

/** Makes the API server hang (it accepts connections and never answers), or go on. Gives false when it is stopped. */
export function pauseApiServer(state: LabState, paused: boolean): boolean {
  const record = state.readProcess(API_SERVER);
  return record !== undefined && sendSignal(record, paused ? "SIGSTOP" : "SIGCONT");
}
