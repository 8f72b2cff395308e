import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DNS_SERVICE, nodeAddresses, ofFamilies, POD_RANGES, primary } from "./addresses.ts";
import { certificatePath, kubeconfig } from "./certificates.ts";
import { PAUSE_IMAGE } from "./images.ts";
import { podNetwork } from "./network.ts";
import { labCgroup } from "./processes.ts";
import type { LabOptions, LabState } from "./state.ts";

/** Where the programs of a node find what this file writes. */
export const KUBERNETES_FOLDER = "/etc/kubernetes";
export const CONTAINERD_CONFIG = "/etc/containerd/config.toml";
export const CONTAINERD_SOCKET = "/run/containerd/containerd.sock";

function kubeletConfig(state: LabState, node: string, { dns, families }: LabOptions): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    // Every address of both families, where the API server may reach the node by either.
    address: "::",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: `${KUBERNETES_FOLDER}/ca.crt` },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: `${KUBERNETES_FOLDER}/kubelet.crt`,
    tlsPrivateKeyFile: `${KUBERNETES_FOLDER}/kubelet.key`,
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    resolvConf: "",
    ...(dns ? { clusterDNS: [primary(families, DNS_SERVICE)], clusterDomain: "cluster.local" } : {}),
    failSwapOn: false,
    // The kernel is shared with the machine and with other labs: pods run below a cgroup of the node's own. Either version
    // of cgroups will do.
    failCgroupV1: false,
    cgroupDriver: "cgroupfs",
    cgroupRoot: nodeCgroup(state, node),
    enforceNodeAllocatable: [],
    // Lowering it takes a right that root may lack, and the node's programs shall not outlive the machine's.
    oomScoreAdj: 0,
    // How full the machine's disk is, is nothing that the lab's pods should be evicted for.
    localStorageCapacityIsolation: false,
    imageGCHighThresholdPercent: 100,
    evictionHard: {
      "nodefs.available": "0%",
      "nodefs.inodesFree": "0%",
      "imagefs.available": "0%",
      "imagefs.inodesFree": "0%",
      "memory.available": "1Mi",
    },
  };
}

function proxyConfig(node: string, { proxy: mode, families }: LabOptions): object {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig: `${KUBERNETES_FOLDER}/kube-proxy.kubeconfig` },
    hostnameOverride: node,
    mode,
    clusterCIDR: ofFamilies(families, POD_RANGES).join(","),
    oomScoreAdj: 0,
    // Zero means "leave it alone": the size of the table is the whole kernel's.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  };
}

function containerdConfig(): string {
  return `version = 3
# All containerds of a machine would share one NRI socket.
disabled_plugins = ["io.containerd.nri.v1.nri"]

[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "${PAUSE_IMAGE}"

[plugins."io.containerd.cri.v1.runtime"]
  # Root in a container or a cloud shell may not lower oom_score_adj, and runc fails when it tries.
  restrict_oom_score_adj = true
  # Its profiles would be loaded into the machine's kernel, and stay there.
  disable_apparmor = true

[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["/usr/lib/cni"]
  conf_dir = "/etc/cni/net.d"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
  # Debian's: one built without cgo has no seccomp, and containerd's default profile asks for it.
  BinaryName = "/usr/sbin/runc"
`;
}

/** The cgroup below which everything runs that a node's kubelet starts. */
export function nodeCgroup(state: LabState, node: string): string {
  return `${labCgroup(state.name)}/${node}`;
}

/** The folder that is a node's disk. Everything in it lasts until the lab is taken down. */
export function nodeDisk(state: LabState, node: string): string {
  return state.path("nodes", node);
}

/** Puts onto the disk of a node that is switched off what its programs read. */
export function writeNodeFiles(state: LabState, node: string, options: LabOptions): void {
  const { families } = options;
  // The node's /etc is this folder laid over the machine's.
  const etc = join(nodeDisk(state, node), "etc");
  const write = (path: string, content: string | object) => {
    const file = join(etc, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === "string" ? content : `${JSON.stringify(content, undefined, 2)}\n`);
  };
  write("hostname", `${node}\n`);
  write("hosts", `127.0.0.1 localhost\n::1 localhost\n${primary(families, nodeAddresses(node))} ${node}\n`);
  write("machine-id", `${createHash("md5").update(`${state.name} ${node}`).digest("hex")}\n`);
  write("containerd/config.toml", containerdConfig());
  // Sorted before anything that the machine's own /etc may hold.
  write("cni/net.d/00-pods.conflist", podNetwork(node, options));
  write("kubernetes/kubelet.json", kubeletConfig(state, node, options));
  write("kubernetes/kubelet.kubeconfig", kubeconfig(state, node, families));
  write("kubernetes/kube-proxy.json", proxyConfig(node, options));
  write("kubernetes/kube-proxy.kubeconfig", kubeconfig(state, "kube-proxy", families));
  copyFileSync(certificatePath(state, "ca.crt"), join(etc, "kubernetes/ca.crt"));
  copyFileSync(certificatePath(state, `${node}.crt`), join(etc, "kubernetes/kubelet.crt"));
  copyFileSync(certificatePath(state, `${node}.key`), join(etc, "kubernetes/kubelet.key"));
}
