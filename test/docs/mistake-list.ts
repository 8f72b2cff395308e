/** Something that a new user gets wrong, and what is asked then. */
export interface Mistake {
  readonly title: string;
  /** One sentence for the reader. */
  readonly says: string;
  readonly manifest: string;
  /** Reads the manifest from standard input. */
  readonly apply: string;
  /** Shell lines; the manifest is their standard input too. */
  readonly ask: readonly string[];
  /** Stands in what is printed once the answer has come. */
  readonly until: RegExp;
  /** Done afterwards, unshown, so that the next mistake starts from a sound cluster. */
  readonly cure?: string;
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

/** What is asked about a Service: its line, its events, its condition, and Bellhop. */
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
    says: "Bellhop is installed, and nobody has told it which addresses it may give.",
    manifest: service("web"),
    apply,
    ask: askService("web"),
    until: /✗ Not served: NoPool/,
    cure: `kubectl apply -f - <<'END'\n${lan}\nEND`,
  },
  {
    title: "An address that is none",
    says: "The API server takes any text as `spec.loadBalancerIP`.",
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
    title: "An address that is in no pool",
    says: "The address is on the network, but the pool ends at .250.",
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
    says: "A node's own address can be no Service's.",
    manifest: service("node", "  loadBalancerIP: 172.30.0.11\n"),
    apply,
    ask: askService("node"),
    until: /✗ Not served: RequestedAddressTaken/,
  },
  {
    title: "A class that is not ours",
    says: "Bellhop writes nothing to such a Service, events included; `bellhop explain` says why.",
    manifest: service("foreign", "  loadBalancerClass: example.com/other\n"),
    apply,
    ask: askService("foreign"),
    until: /✗ Not served: ForeignClass/,
  },
  {
    title: "A pool that is not there",
    says: "A slip in the annotation.",
    manifest: service("named", "", "  annotations:\n    bellhop.dev/pool: lam\n"),
    apply,
    ask: askService("named"),
    until: /✗ Not served: PoolNotFound/,
  },
  {
    title: "A pool that is full",
    says: "A pool of one address, and two Services that want it.",
    manifest: `${pool("tiny", `  autoAssign: false\n${addresses("172.30.0.199")}`)}---${service("first", "", "  annotations:\n    bellhop.dev/pool: tiny\n")}---${service("second", "", "  annotations:\n    bellhop.dev/pool: tiny\n")}`,
    apply,
    ask: ["kubectl get service first", ...askService("second")],
    until: /✗ Not served: PoolExhausted/,
  },
  {
    title: "A pool of garbage, host bits, mixed and reversed ranges",
    says: "What the API server can see by itself it refuses; `bellhop pools plan` tells the lines, and what was meant.",
    manifest: pool("slips", addresses("lan", "172.30.0.130/28", "172.30.0.150-fd30::150", "172.30.0.170-172.30.0.160")),
    apply,
    ask: ["bellhop pools plan -f -"],
    until: /PoolRangeInvalid/,
  },
  {
    title: "A reversed range of IPv6",
    says: "This one only the controller can see. The pool is set aside whole, the others go on.",
    manifest: pool("reversed", addresses("fd30::3ff-fd30::300")),
    apply,
    ask: askPool("reversed"),
    until: /PoolRangeInvalid[\s\S]*Events:\s+Type|Warning +PoolRangeInvalid/,
    cure: "kubectl delete ipaddresspool reversed",
  },
  {
    title: "Two pools that overlap",
    says: "The older one goes on working.",
    manifest: pool("twin", addresses("172.30.0.240-172.30.0.254")),
    apply,
    ask: askPool("twin"),
    until: /Warning +PoolOverlaps/,
    cure: "kubectl delete ipaddresspool twin",
  },
  {
    title: "A pool inside the cluster's own network",
    says: "Cluster IPs and external addresses must not be the same.",
    manifest: pool("inside", addresses("10.96.1.0/24")),
    apply,
    ask: askPool("inside"),
    until: /Warning +PoolOverlapsServiceNetwork/,
    cure: "kubectl delete ipaddresspool inside",
  },
  {
    title: "A pool that no node's network has",
    says: "The address is given, but no node can answer for it.",
    manifest: `${pool("far", `  autoAssign: false\n${addresses("198.51.100.0/28")}`)}---${service("far", "", "  annotations:\n    bellhop.dev/pool: far\n")}`,
    apply,
    ask: askService("far"),
    until: /✗ Not served: NoAnnouncer/,
  },
  {
    title: "A selector that finds no pod",
    says: "The address is there and announced; behind it is nothing.",
    manifest: service("empty").replace("app: web", "app: wbe"),
    apply,
    ask: askService("empty"),
    until: /✗ Not served: NoReadyEndpoint/,
  },
  {
    title: "A pool made smaller while it is in use",
    says: "Asked before applying, the plan names who would be left outside.",
    manifest: pool("lan", addresses("172.30.0.210-172.30.0.250", "fd30::200-fd30::2ff")),
    apply: "bellhop pools plan -f -",
    ask: ["bellhop explain service default/web | tail -n 1"],
    until: /default\/web/,
  },
  {
    title: "Addresses and nodes in one pool",
    says: "A pool has addresses of its own, or those of nodes.",
    manifest: pool("both", `  nodeAddresses: {}\n${addresses("172.30.0.199")}`),
    apply,
    ask: ["bellhop pools plan -f -"],
    until: /PoolOfNodesMisfit/,
  },
  {
    title: "One port of the nodes, wanted twice",
    says: "On the nodes' own addresses Services go together while their ports differ.",
    manifest: `${pool("nodes", "  nodeAddresses: {}\n  autoAssign: false\n")}---${service("nodes-first", "", onNodes)}---${service("nodes-second", "", onNodes)}`,
    apply,
    ask: ["kubectl get service nodes-first", ...askService("nodes-second")],
    until: /✗ Not served: NodeAddressPortTaken[\s\S]*default\/nodes-first/,
  },
  {
    title: "A port at which the node itself listens",
    says: "10250 is the kubelet's; a Service there would cut the node off.",
    manifest: service("kubelet", "", onNodes).replace("port: 80,", "port: 10250,"),
    apply,
    ask: askService("kubelet"),
    until: /✗ Not served: NodeAddressPortReserved/,
  },
];
