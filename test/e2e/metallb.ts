import { waitFor } from "../lab/wait.ts";
import type { Api } from "./api.ts";
import { agnhostImage } from "./workload.ts";

/** Name of the first pool and of its advertisement. */
export const metallbPool = "metal";
/** Name of the pool whose addresses are announced only for Services with the label, and of its advertisement. */
export const labelledPool = "labelled";
export const exposed = { exposure: "lan" };
export const metallbClass = "metallb.io/metallb";

const strings = { type: "array", items: { type: "string" } };
const selectors = {
  type: "array",
  items: { type: "object", properties: { matchLabels: { type: "object", additionalProperties: { type: "string" } } } },
};

/** The fields of MetalLB's own definitions that Bellhop reads. */
const poolFields = {
  addresses: strings,
  autoAssign: { type: "boolean", default: true },
  avoidBuggyIPs: { type: "boolean", default: false },
  serviceAllocation: {
    type: "object",
    properties: {
      priority: { type: "integer" },
      namespaces: strings,
      namespaceSelectors: selectors,
      serviceSelectors: selectors,
    },
  },
};
const advertisementFields = {
  ipAddressPools: strings,
  ipAddressPoolSelectors: selectors,
  nodeSelectors: selectors,
  interfaces: strings,
  serviceSelectors: selectors,
  preferredNodeSelectors: {
    type: "array",
    items: {
      type: "object",
      properties: { weight: { type: "integer" }, preference: selectors.items },
    },
  },
};

function definition(kind: string, plural: string, fields: object) {
  const schema = { type: "object", properties: { spec: { type: "object", properties: fields } } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.metallb.io` },
    spec: {
      group: "metallb.io",
      scope: "Namespaced",
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      versions: [{ name: "v1beta1", served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  };
}

function workload(kind: "Deployment" | "DaemonSet", name: string) {
  const labels = { app: "metallb", component: name };
  const containers = [{ name, image: agnhostImage, imagePullPolicy: "IfNotPresent", args: ["pause"] }];
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name, namespace: "metallb-system" },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers } },
    },
  };
}

/** A cluster that looks as if MetalLB ran in it: definitions of its group, kinds and fields, its objects, and programs of its names. */
export async function fakeMetallb({ lab }: Api): Promise<void> {
  const apply = (objects: readonly object[]) =>
    lab.kubectl(
      ["apply", "--server-side", "-f", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
    );
  await apply([
    definition("IPAddressPool", "ipaddresspools", poolFields),
    definition("L2Advertisement", "l2advertisements", advertisementFields),
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "metallb-system" } },
    workload("Deployment", "controller"),
    workload("DaemonSet", "speaker"),
  ]);
  const names = ["ipaddresspools", "l2advertisements"].map((plural) => `crd/${plural}.metallb.io`);
  await lab.kubectl(["wait", "--for=condition=Established", ...names, "--timeout=30s"]);
  const metadata = { name: metallbPool, namespace: "metallb-system" };
  await apply([
    {
      apiVersion: "metallb.io/v1beta1",
      kind: "IPAddressPool",
      metadata,
      spec: { addresses: ["172.30.0.160-172.30.0.169", "fd30::360-fd30::369"], autoAssign: false },
    },
    {
      apiVersion: "metallb.io/v1beta1",
      kind: "L2Advertisement",
      metadata,
      spec: {
        ipAddressPools: [metallbPool],
        nodeSelectors: ["n1", "n2"].map((name) => ({ matchLabels: { "kubernetes.io/hostname": name } })),
        preferredNodeSelectors: [{ weight: 100, preference: { matchLabels: { "kubernetes.io/hostname": "n2" } } }],
        interfaces: ["eth0"],
      },
    },
    {
      apiVersion: "metallb.io/v1beta1",
      kind: "IPAddressPool",
      metadata: { ...metadata, name: labelledPool },
      spec: { addresses: ["172.30.0.172/30"], autoAssign: false, avoidBuggyIPs: true },
    },
    {
      apiVersion: "metallb.io/v1beta1",
      kind: "L2Advertisement",
      metadata: { ...metadata, name: labelledPool },
      spec: { ipAddressPools: [labelledPool], serviceSelectors: [{ matchLabels: exposed }] },
    },
  ]);
}

/** Removes what is left of it, at whatever point the migration ended. */
export async function removeMetallb({ lab }: Api): Promise<void> {
  const quietly = ["--ignore-not-found", "--wait=false"];
  await lab.kubectl(["delete", "namespace", "metallb-system", ...quietly]);
  await lab.kubectl(["delete", "crd", "ipaddresspools.metallb.io", "l2advertisements.metallb.io", ...quietly]);
  await waitFor({ what: "MetalLB's namespace to go", timeoutMs: 60_000, intervalMs: 200 }, async () =>
    (await lab.kubectl(["get", "namespace", "metallb-system", "--ignore-not-found", "-o", "name"])) === ""
      ? true
      : undefined,
  );
}
