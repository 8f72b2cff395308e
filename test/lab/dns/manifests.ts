import { DNS_SERVICE, type LabFamilies, ofFamilies, primary } from "../addresses.ts";

/** The name that upstream's manifests of this Kubernetes version use; the program is the lab's own build. */
export const COREDNS_IMAGE = "registry.k8s.io/coredns/coredns:v1.14.7";

const name = "coredns";
const namespace = "kube-system";
const labels = { "k8s-app": "kube-dns" };

/** What kubectl applies to have the cluster's names resolved, under the names that other tools look for. */
export function dnsManifests(families: LabFamilies): object {
  return {
    apiVersion: "v1",
    kind: "List",
    items: [
      { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace } },
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRole",
        metadata: { name: "system:coredns" },
        rules: [
          { apiGroups: [""], resources: ["services", "pods", "namespaces"], verbs: ["list", "watch"] },
          { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
        ],
      },
      {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRoleBinding",
        metadata: { name: "system:coredns" },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:coredns" },
        subjects: [{ kind: "ServiceAccount", name, namespace }],
      },
      deployment(),
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "kube-dns", namespace, labels },
        spec: {
          selector: labels,
          ipFamilyPolicy: families === "dual" ? "RequireDualStack" : "SingleStack",
          clusterIP: primary(families, DNS_SERVICE),
          clusterIPs: ofFamilies(families, DNS_SERVICE),
          ports: [
            { name: "dns", protocol: "UDP", port: 53 },
            { name: "dns-tcp", protocol: "TCP", port: 53 },
          ],
        },
      },
    ],
  };
}

function deployment(): object {
  const container = {
    name,
    image: COREDNS_IMAGE,
    imagePullPolicy: "IfNotPresent",
    readinessProbe: { httpGet: { path: "/ready", port: 8181 }, periodSeconds: 1 },
  };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace, labels },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        // Names outside the cluster are not resolved, so what the node would ask is of no use.
        spec: { serviceAccountName: name, dnsPolicy: "Default", containers: [container] },
      },
    },
  };
}
