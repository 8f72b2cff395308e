import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { graceMs } from "../../../src/cli/run.ts";

const base = join(import.meta.dirname, "../../../deploy/base");

// biome-ignore lint/suspicious/noExplicitAny: manifests are read as the API server would read them.
type Manifest = any;

const manifests: readonly Manifest[] = globSync("*.yaml", { cwd: base }).flatMap((file) =>
  parseAllDocuments(readFileSync(join(base, file), "utf8")).map((document) => document.toJS()),
);

function find(kind: string, name: string): Manifest {
  return manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name) ?? assert.fail(name);
}

const workloads = [find("Deployment", "bellhop-controller"), find("DaemonSet", "bellhop-speaker")];

for (const { metadata, spec } of workloads) {
  const pod = spec.template.spec;
  const [container] = pod.containers;
  describe(`the pods of ${metadata.name}`, () => {
    test("run on Linux nodes only", () => assert.equal(pod.nodeSelector["kubernetes.io/os"], "linux"));

    test("are killed only after the program has given itself up", () =>
      assert.ok(pod.terminationGracePeriodSeconds * 1000 > graceMs));

    test("are not killed, and stay ready, while the machine answers late", () => {
      const probes = [container.livenessProbe, container.readinessProbe, container.startupProbe];
      for (const probe of probes.filter((one) => one !== undefined)) assert.ok(probe.timeoutSeconds >= 5);
      const { timeoutSeconds, failureThreshold } = container.livenessProbe ?? {
        timeoutSeconds: 60,
        failureThreshold: 1,
      };
      assert.ok(timeoutSeconds * failureThreshold >= 60);
    });

    test("may do no more than they need", () => {
      const { allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities } = container.securityContext;
      assert.deepEqual([allowPrivilegeEscalation, readOnlyRootFilesystem], [false, true]);
      assert.deepEqual(capabilities.drop, ["ALL"]);
      assert.equal(pod.securityContext.seccompProfile.type, "RuntimeDefault");
    });
  });
}

describe("on the node's network", () => {
  const { spec } = find("DaemonSet", "bellhop-speaker");
  const [container] = spec.template.spec.containers;

  test("the speaker declares no port, which would be a host port that others may clash with", () =>
    assert.equal(container.ports, undefined));

  test("no process of others on the port can have the speaker killed", () =>
    assert.equal(container.livenessProbe, undefined));

  test("an update of a large cluster does not go node by node", () =>
    assert.match(spec.updateStrategy.rollingUpdate.maxUnavailable, /%$/));
});

test("Node accepts the options that the controller's pod sets", () => {
  const { env } = find("Deployment", "bellhop-controller").spec.template.spec.containers[0];
  const { value } = env.find(({ name }: Manifest) => name === "NODE_OPTIONS");
  const { status, stderr } = spawnSync(process.execPath, ["-e", ""], {
    env: { NODE_OPTIONS: value },
    encoding: "utf8",
  });
  assert.deepEqual([status, stderr], [0, ""]);
});

describe("what selects the controller", () => {
  const labels = find("Deployment", "bellhop-controller").spec.template.metadata.labels;
  for (const [kind, selectorOf] of [
    ["PodDisruptionBudget", ({ spec }: Manifest) => spec.selector],
    ["NetworkPolicy", ({ spec }: Manifest) => spec.podSelector],
  ] as const) {
    test(`${kind} matches its labels, and not the speaker's`, () => {
      assert.deepEqual(selectorOf(find(kind, "bellhop-controller")).matchLabels, labels);
    });
  }
});

test("the NetworkPolicy lets probes and scrapes in, and everything out", () => {
  const { policyTypes, ingress, egress } = find("NetworkPolicy", "bellhop-controller").spec;
  // A policy for Egress would cut the controller off from an API server whose address the manifest cannot know.
  assert.deepEqual([policyTypes, egress], [["Ingress"], undefined]);
  const [{ ports, from }] = ingress;
  // The kubelet's probes come from the node, and scrapes from any namespace.
  assert.equal(from, undefined);
  const [container] = find("Deployment", "bellhop-controller").spec.template.spec.containers;
  const probed = [container.livenessProbe, container.readinessProbe].map(({ httpGet }) => httpGet.port);
  assert.deepEqual(
    probed,
    probed.map(() => "http"),
  );
  assert.deepEqual(ports, [{ protocol: "TCP", port: "http" }]);
  assert.deepEqual(
    container.ports.map(({ name }: Manifest) => name),
    ["http"],
  );
});

test("the image runs as a user without rights, unless the manifest says otherwise", () => {
  const dockerfile = readFileSync(join(base, "../Dockerfile"), "utf8");
  const [, user] = /^USER (\d+):\d+$/m.exec(dockerfile) ?? [];
  const { runAsNonRoot, runAsUser } = find("Deployment", "bellhop-controller").spec.template.spec.securityContext;
  assert.deepEqual([runAsNonRoot, String(runAsUser)], [true, user]);
});

test("the image is made from nothing: no program comes with a base image, and none is installed", () => {
  const dockerfile = readFileSync(join(base, "../Dockerfile"), "utf8");
  const last = dockerfile.slice(dockerfile.lastIndexOf("\nFROM "));
  assert.match(last, /^\nFROM scratch\n/);
  assert.doesNotMatch(last, /^(RUN|ADD)/m);
  assert.doesNotMatch(dockerfile, /nftables|conntrack/);
});

describe("what the accounts may write", () => {
  const rulesOf = (kind: string, name: string): readonly Manifest[] => find(kind, name).rules;
  const writes = ["create", "update", "patch", "delete", "deletecollection", "*"];
  const writable = (rules: readonly Manifest[]): readonly string[] =>
    rules
      .filter(({ verbs }) => verbs.some((verb: string) => writes.includes(verb)))
      .flatMap(({ resources, verbs, resourceNames = [] }) =>
        resources.map((resource: string) =>
          [resource, ...resourceNames, ...verbs.filter((verb: string) => writes.includes(verb))].join(" "),
        ),
      )
      .sort();

  test("the speaker", () => {
    const own = ["speakeridentities create patch", "speakers create", "speakers/status patch"];
    const kinds = ["events create patch", ...own, "virtualips/status patch"];
    assert.deepEqual(writable(rulesOf("ClusterRole", "bellhop-speaker")), kinds);
    assert.deepEqual(writable(rulesOf("Role", "bellhop-speaker")), ["leases create update"]);
  });

  test("each kind that the speaker may write is limited to its node by the policy, which refuses in doubt", () => {
    const { failurePolicy, matchConstraints } = find("ValidatingAdmissionPolicy", "bellhop-speaker").spec;
    assert.equal(failurePolicy, "Fail");
    const limited = matchConstraints.resourceRules.flatMap(({ resources }: Manifest) => resources).sort();
    const own = ["leases", "speakeridentities", "speakers", "speakers/status"];
    assert.deepEqual(limited, ["events", ...own, "virtualips/status"]);
    const { policyName, validationActions } = find("ValidatingAdmissionPolicyBinding", "bellhop-speaker").spec;
    assert.deepEqual([policyName, validationActions], ["bellhop-speaker", ["Deny"]]);
  });

  test("the policy applies to the account of the speakers, also where kustomize has added to its name", () => {
    const [condition] = find("ValidatingAdmissionPolicy", "bellhop-speaker").spec.matchConditions;
    const [, pattern = ""] = /^request\.userInfo\.username\.matches\('(.*)'\)$/.exec(condition.expression) ?? [];
    const applies = (user: string): boolean => pattern !== "" && new RegExp(pattern).test(user);
    for (const name of ["bellhop-speaker", "edge-bellhop-speaker", "bellhop-speaker-v2"])
      assert.ok(applies(`system:serviceaccount:bellhop-system:${name}`), name);
    for (const user of [
      "system:serviceaccount:bellhop-system:bellhop-controller",
      "system:serviceaccount:bellhop-speaker:default",
      "system:node:bellhop-speaker",
    ])
      assert.ok(!applies(user), user);
  });

  test("the controller updates no Lease but its own, and no Secret but the key of heartbeats", () => {
    const leases = ["leases bellhop-controller update", "leases create delete"];
    const secrets = ["secrets bellhop-heartbeat update", "secrets create"];
    assert.deepEqual(writable(rulesOf("Role", "bellhop-controller")), [...leases, ...secrets]);
  });

  test("no account reads a Secret but the key of heartbeats, and users not even that", () => {
    const readers = manifests
      .filter(({ kind }) => ["Role", "ClusterRole"].includes(kind))
      .flatMap(({ kind, metadata, rules }) =>
        rules
          .filter(({ resources, verbs }: Manifest) => resources.includes("secrets") && !verbs.includes("create"))
          .map(({ resourceNames }: Manifest) => `${kind} ${metadata.name} ${resourceNames}`),
      );
    assert.deepEqual(readers, ["Role bellhop-controller bellhop-heartbeat", "Role bellhop-speaker bellhop-heartbeat"]);
  });

  test("users write nothing", () => {
    for (const name of ["bellhop-view", "bellhop-explain"])
      assert.deepEqual(writable(rulesOf("ClusterRole", name)), []);
  });
});
