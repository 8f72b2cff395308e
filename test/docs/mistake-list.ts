/** A mistake of a new user, and the commands that show what Bellhop says. */
export interface Mistake {
  readonly title: string;
  /** One sentence for the reader. */
  readonly says: string;
  readonly manifest: string;
  /** Reads the manifest from standard input. */
  readonly apply: string;
  /** Shell lines; the manifest is their standard input too. */
  readonly ask: readonly string[];
  /** Matches the output once the answer is there. */
  readonly until: RegExp;
  /** Runs afterwards and is not shown, so that the next mistake starts from a sound cluster. */
  readonly cure?: string;
}

/** docs/mistakes.md up to its first chapter. */
export const mistakesHead = `# Mistakes, and what Bellhop says

This page shows the mistakes of new users: each was typed into a real cluster, and the output below is what the cluster answered.
\`npm run docs:lab\` runs them again and writes this page. [Reasons](reference/reasons.md) explains every code.

\`bellhop\` runs in the pod of the controller, where it needs no kubeconfig. This alias makes the command short:

\`\`\`sh
alias bellhop='kubectl -n bellhop-system exec -i deploy/bellhop-controller -- bellhop'
\`\`\`

The cluster has three nodes on 172.30.0.0/24 and fd30::/64, and a DaemonSet \`web\` whose pods are ready.
`;

/** The chapter of one mistake up to what the cluster answers. */
export function introduction({ title, says, manifest }: Mistake): string {
  return `\n## ${title}\n\n${says}\n\n\`\`\`yaml\n${manifest.trim()}\n\`\`\`\n`;
}

export const preparation = `
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: web
          image: registry.k8s.io/e2e-test-images/agnhost:2.63.0
          imagePullPolicy: IfNotPresent
          args: ["netexec", "--http-port=8080"]
          readinessProbe: { httpGet: { path: /readyz, port: 8080 }, periodSeconds: 1 }
`;

const apply = "kubectl apply -f -";

function service(name: string, spec = "", metadata = ""): string {
  return `
apiVersion: v1
kind: Service
metadata:
  name: ${name}
${metadata}spec:
  type: LoadBalancer
${spec}  selector: { app: web }
  ports: [{ port: 80, targetPort: 8080 }]
`;
}

function pool(name: string, spec: string): string {
  return `
apiVersion: bellhop.dev/v1beta1
kind: IPAddressPool
metadata:
  name: ${name}
spec:
${spec}`;
}

function addresses(...all: readonly string[]): string {
  return `  addresses:\n${all.map((address) => `    - ${address}\n`).join("")}`;
}

/** What a user would look at for a Service: its line, its events, and what Bellhop explains. */
function askService(name: string): readonly string[] {
  return [
    `kubectl get service ${name}`,
    `kubectl describe service ${name} | sed -n '/^Events/,$p'`,
    `bellhop explain service default/${name}`,
  ];
}

function askPool(name: string): readonly string[] {
  return [`kubectl describe ipaddresspool ${name} | sed -n '/^Status/,$p'`, "bellhop pools plan -f -"];
}

const lan = pool("lan", addresses("172.30.0.200-172.30.0.250", "fd30::200-fd30::2ff"));

const onNodes = "  annotations:\n    bellhop.dev/pool: nodes\n";

export const mistakes: readonly Mistake[] = [
  {
    title: "No pool at all",
    says: "Bellhop is installed, but no pool says which addresses it may assign.",
    manifest: service("web"),
    apply,
    ask: askService("web"),
    until: /✗ Not served: NoPool/,
    cure: `kubectl apply -f - <<'END'\n${lan}\nEND`,
  },
  {
    title: "An invalid address",
    says: "The API server accepts any text as `spec.loadBalancerIP`. This one has the letter O instead of zeros.",
    manifest: service("garbage", "  loadBalancerIP: 172.30.0.2OO\n"),
    apply,
    ask: askService("garbage"),
    until: /✗ Not served: RequestedAddressInvalid/,
  },
  {
    title: "An address of the wrong family",
    says: "An IPv6 address for a Service that is IPv4 only.",
    manifest: service("family", "  ipFamilies: [IPv4]\n  loadBalancerIP: fd30::210\n"),
    apply,
    ask: askService("family"),
    until: /✗ Not served: RequestedAddressWrongFamily/,
  },
  {
    title: "An address outside every pool",
    says: "The address belongs to the network, but the pool ends at .250.",
    manifest: service("outside", "  loadBalancerIP: 172.30.0.251\n"),
    apply,
    ask: [...askService("outside"), "bellhop explain address 172.30.0.251"],
    until: /✗ Not served: RequestedAddressNotInPool/,
  },
  {
    title: "An address that is taken",
    says: "Service `web` has it already.",
    manifest: service("late", "  loadBalancerIP: 172.30.0.200\n"),
    apply,
    ask: [...askService("late"), "bellhop explain address 172.30.0.200"],
    until: /✗ Not served: RequestedAddressTaken[\s\S]*default\/web/,
  },
  {
    title: "The address of a node",
    says: "A Service cannot have the address of a node.",
    manifest: service("node", "  loadBalancerIP: 172.30.0.11\n"),
    apply,
    ask: askService("node"),
    until: /✗ Not served: RequestedAddressTaken/,
  },
  {
    title: "A class of another load balancer",
    says: "Bellhop writes nothing to such a Service, events included; `bellhop explain` says why.",
    manifest: service("foreign", "  loadBalancerClass: example.com/other\n"),
    apply,
    ask: askService("foreign"),
    until: /✗ Not served: ForeignClass/,
  },
  {
    title: "A pool that does not exist",
    says: "A typing error in the annotation.",
    manifest: service("named", "", "  annotations:\n    bellhop.dev/pool: lam\n"),
    apply,
    ask: askService("named"),
    until: /✗ Not served: PoolNotFound/,
  },
  {
    title: "A pool that is full",
    says: "A pool with one address, and two Services that request it.",
    manifest: `${pool("tiny", `  autoAssign: false\n${addresses("172.30.0.199")}`)}---${service("first", "", "  annotations:\n    bellhop.dev/pool: tiny\n")}---${service("second", "", "  annotations:\n    bellhop.dev/pool: tiny\n")}`,
    apply,
    ask: ["kubectl get service first", ...askService("second")],
    until: /✗ Not served: PoolExhausted/,
  },
  {
    title: "Invalid text, host bits, mixed and reversed ranges in a pool",
    says: "The API server rejects what it can see by itself. `bellhop pools plan` shows the lines, and how to correct them.",
    manifest: pool("slips", addresses("lan", "172.30.0.130/28", "172.30.0.150-fd30::150", "172.30.0.170-172.30.0.160")),
    apply,
    ask: ["bellhop pools plan -f -"],
    until: /PoolRangeInvalid/,
  },
  {
    title: "A reversed IPv6 range",
    says: "Only the controller can see this one. It rejects the whole pool; the other pools keep working.",
    manifest: pool("reversed", addresses("fd30::3ff-fd30::300")),
    apply,
    ask: askPool("reversed"),
    until: /PoolRangeInvalid[\s\S]*Events:\s+Type|Warning +PoolRangeInvalid/,
    cure: "kubectl delete ipaddresspool reversed",
  },
  {
    title: "Two pools that overlap",
    says: "The older one keeps working.",
    manifest: pool("twin", addresses("172.30.0.240-172.30.0.254")),
    apply,
    ask: askPool("twin"),
    until: /Warning +PoolOverlaps/,
    cure: "kubectl delete ipaddresspool twin",
  },
  {
    title: "A pool inside the cluster's own network",
    says: "Cluster IPs and external addresses must not overlap.",
    manifest: pool("inside", addresses("10.96.1.0/24")),
    apply,
    ask: askPool("inside"),
    until: /Warning +PoolOverlapsServiceNetwork/,
    cure: "kubectl delete ipaddresspool inside",
  },
  {
    title: "A pool outside the networks of the nodes",
    says: "The address is assigned, but no node can answer for it.",
    manifest: `${pool("far", `  autoAssign: false\n${addresses("198.51.100.0/28")}`)}---${service("far", "", "  annotations:\n    bellhop.dev/pool: far\n")}`,
    apply,
    ask: askService("far"),
    until: /✗ Not served: NoAnnouncer/,
  },
  {
    title: "An unknown word for forwarding",
    says: "The Service is served as if the annotation were not set; a warning says so.",
    manifest: service("magic", "", "  annotations:\n    bellhop.dev/forwarding: magic\n"),
    apply,
    ask: askService("magic"),
    until: /Warning: ForwardingInvalid/,
  },
  {
    title: "A selector without pods",
    says: "The address is assigned and announced, but no pod is behind it.",
    manifest: service("empty").replace("app: web", "app: wbe"),
    apply,
    ask: askService("empty"),
    until: /✗ Not served: NoReadyEndpoint/,
  },
  {
    title: "A pool that shrinks while it is in use",
    says: "Before you apply an edit, the plan names the Services whose addresses would be outside every pool.",
    manifest: pool("lan", addresses("172.30.0.210-172.30.0.250", "fd30::200-fd30::2ff")),
    apply: "bellhop pools plan -f -",
    ask: ["bellhop explain service default/web | tail -n 1"],
    until: /default\/web/,
  },
  {
    title: "Addresses and nodes in one pool",
    says: "A pool has either addresses of its own, or the addresses of nodes.",
    manifest: pool("both", `  nodeAddresses: {}\n${addresses("172.30.0.199")}`),
    apply,
    ask: ["bellhop pools plan -f -"],
    until: /PoolOfNodesMisfit/,
  },
  {
    title: "One port of the nodes, requested twice",
    says: "Services share the nodes' own addresses while their ports differ.",
    manifest: `${pool("nodes", "  nodeAddresses: {}\n  autoAssign: false\n")}---${service("nodes-first", "", onNodes)}---${service("nodes-second", "", onNodes)}`,
    apply,
    ask: ["kubectl get service nodes-first", ...askService("nodes-second")],
    until: /✗ Not served: NodeAddressPortTaken[\s\S]*default\/nodes-first/,
  },
  {
    title: "A port on which the node itself listens",
    says: "10250 is the port of the kubelet. A Service there would cut the node off.",
    manifest: service("kubelet", "", onNodes).replace("port: 80,", "port: 10250,"),
    apply,
    ask: askService("kubelet"),
    until: /✗ Not served: NodeAddressPortReserved/,
  },
];
