import { askApi } from "../lab/api.ts";
import type { Lab } from "../lab/lab.ts";
import { waitFor } from "../lab/wait.ts";

const name = "bellhop-forwarding-pods";
const annotation = "bellhop.dev/forwarding";

const policy = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "MutatingAdmissionPolicy",
  metadata: { name },
  spec: {
    failurePolicy: "Fail",
    reinvocationPolicy: "Never",
    matchConstraints: {
      resourceRules: [
        { apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: ["services"] },
      ],
    },
    matchConditions: [{ name: "load-balancers", expression: "object.spec.type == 'LoadBalancer'" }],
    mutations: [
      {
        patchType: "ApplyConfiguration",
        applyConfiguration: {
          expression: `Object{metadata: Object.metadata{annotations: {"${annotation}": "pods"}}}`,
        },
      },
    ],
  },
};

const binding = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "MutatingAdmissionPolicyBinding",
  metadata: { name },
  spec: { policyName: name },
};

/** Sends all Services of type LoadBalancer straight to pods, whoever creates them; returns when the API server does so. */
export async function forcePodsPath(lab: Lab): Promise<void> {
  await lab.kubectl(["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: [policy, binding] }));
  await waitUntil(lab, true);
}

/** Undoes forcePodsPath, also when it was not called. */
export async function endPodsPath(lab: Lab): Promise<void> {
  const kinds = ["mutatingadmissionpolicybinding", "mutatingadmissionpolicy"];
  for (const kind of kinds) await lab.kubectl(["delete", kind, name, "--ignore-not-found"]);
  await waitUntil(lab, false);
}

/** The API server takes a moment to compile a policy; a Service that is only tried out shows whether it is in force. */
async function waitUntil(lab: Lab, forced: boolean): Promise<void> {
  const what = `new Services ${forced ? "to be sent straight to pods" : "to keep their path"}`;
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "probe" },
    spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
  };
  await waitFor({ what, timeoutMs: 30_000, intervalMs: 200 }, async () => {
    const answer = await askApi(lab.apiSocket, "POST", "/api/v1/namespaces/default/services?dryRun=All", service);
    if (answer.status !== 201) return false;
    const { metadata } = JSON.parse(answer.body) as { metadata: { annotations?: Readonly<Record<string, string>> } };
    return (metadata.annotations?.[annotation] === "pods") === forced;
  });
}
