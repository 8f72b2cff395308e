import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { type LabFamilies, nodeAddresses, ofFamilies } from "../lab/addresses.ts";
import { waitFor } from "../lab/wait.ts";
import type { Api } from "./api.ts";
import { askFrom } from "./client.ts";
import { type ProxyMode, useCluster } from "./cluster.ts";
import type { Target } from "./probe/probe.ts";
import { assertRefuses, waitForAnnouncement } from "./refusal.ts";
import { createService, startWeb } from "./workload.ts";

const paths = [
  { name: "nodeport", words: "by the rules for node ports", spec: {}, annotations: {} },
  {
    name: "direct",
    words: "straight to pods",
    spec: { allocateLoadBalancerNodePorts: false },
    annotations: {},
  },
  {
    name: "proxied",
    words: "by kube-proxy's rules from the start",
    spec: {},
    annotations: { "bellhop.dev/forwarding": "kube-proxy" },
  },
  {
    name: "rewritten",
    words: "rewritten to node ports",
    spec: {},
    annotations: { "bellhop.dev/forwarding": "nodeport" },
  },
] as const;
const protocols = ["tcp", "udp"] as const;
const clients = [
  { host: "client", words: "a host on the LAN" },
  { host: "remote", words: "a host behind the router" },
] as const;

/** Every way a packet can take to a pod, with kube-proxy in one mode. */
export function testForwarding(proxy: ProxyMode, labFamilies: LabFamilies = "dual"): void {
  const families = ofFamilies(labFamilies, { ipv4: "IPv4", ipv6: "IPv6" });
  const where = labFamilies === "dual" ? "" : `, on a cluster that has ${families} only`;
  describe(`forwarding beside kube-proxy in ${proxy} mode${where}`, () => {
    const cluster = useCluster(proxy, "forwarding", { families: labFamilies });
    const addresses = new Map<string, readonly string[]>();

    before(async () => {
      const { api } = cluster();
      await startWeb(api);
      for (const { name, spec, annotations } of paths) await createService(api, name, spec, "web", { annotations });
      for (const path of paths) addresses.set(path.name, await api.waitForAddresses(path.name));
      for (const host of [...addresses.values()].flat()) await waitForAnswer(api, host);
    });

    for (const path of paths) {
      for (const protocol of protocols) {
        for (const [index, family] of families.entries()) {
          for (const client of clients) {
            test(`${protocol.toUpperCase()} over ${family} from ${client.words}, ${path.words}`, async () => {
              const host = addresses.get(path.name)?.[index] ?? "";
              await assertAnswers(cluster().api, client.host, {
                protocol,
                host,
                port: 80,
                question: question(protocol),
              });
            });
          }
        }
      }
    }

    test("the Service without node ports really has none, and the other one has", async () => {
      assert.deepEqual(await nodePorts(cluster().api, "direct"), []);
      assert.equal((await nodePorts(cluster().api, "nodeport")).length, 2);
    });

    for (const protocol of protocols) {
      test(`plain node:nodePort access over ${protocol.toUpperCase()} is unharmed on every node and in every family`, async () => {
        const { api, lab } = cluster();
        const ports = await nodePorts(api, "nodeport");
        const port = ports.find((entry) => entry.protocol === protocol.toUpperCase())?.nodePort ?? 0;
        for (const node of lab.nodes) {
          for (const host of ofFamilies(labFamilies, nodeAddresses(node))) {
            await assertAnswers(api, "client", { protocol, host, port, question: question(protocol) });
          }
        }
      });
    }

    // Where the user leaves everything to kube-proxy, the kernel limits its refusals.
    for (const path of paths.filter(({ name }) => name !== "proxied")) {
      test(`a Service without endpoints refuses every attempt at once, ${path.words}`, async () => {
        const { api } = cluster();
        const { annotations } = path;
        await createService(api, `empty-${path.name}`, path.spec, "nobody", { annotations });
        for (const host of await api.waitForAddresses(`empty-${path.name}`)) {
          await waitForAnnouncement(api, host);
          for (const client of clients) await assertRefuses(api, client.host, host);
        }
      });
    }

    for (const path of paths) {
      test(`every node, and a pod on each, reach the address over TCP and UDP, ${path.words}`, async () => {
        const { api, lab } = cluster();
        const hosts = addresses.get(path.name) ?? [];
        for (const protocol of protocols) {
          for (const host of hosts) {
            const target = { protocol, host, port: 80, question: question(protocol) };
            await Promise.all(lab.nodes.map((node) => assertAnswers(api, node, target)));
          }
        }
        const pods = await podsOf(api, "web");
        assert.equal(pods.length, lab.nodes.length);
        for (const answers of await Promise.all(pods.map((pod) => askFromPod(api, pod, hosts)))) {
          assert.equal(answers.length, hosts.length * protocols.length * perPod);
          for (const answer of answers) assert.match(answer, /^web-[a-z0-9]{5}$/);
        }
      });
    }

    test("a pod reaches itself by the address of its Service, on every way", async () => {
      const { api, lab } = cluster();
      await startWeb(api, "alone", { "kubernetes.io/hostname": lab.nodes[0] ?? "" });
      const [pod = ""] = await podsOf(api, "alone");
      for (const { name, spec, annotations } of paths)
        await createService(api, `alone-${name}`, spec, "alone", { annotations });
      for (const { name } of paths) {
        const hosts = await api.waitForAddresses(`alone-${name}`);
        for (const host of hosts) await waitForAnswer(api, host);
        const expected = Array(hosts.length * protocols.length * perPod).fill(pod);
        // kube-proxy writes its rules up to a second after the LAN has its first answer.
        await waitFor({ what: `${pod} to reach itself, ${name}`, timeoutMs: 20_000 }, async () => {
          return (await askFromPod(api, pod, hosts)).join() === expected.join();
        });
      }
    });
  });
}

/** How often a pod asks each address over each protocol. */
const perPod = 3;

async function podsOf(api: Api, app: string): Promise<readonly string[]> {
  const pods = await api.list("v1", "Pod");
  return pods.filter(({ metadata }) => metadata.labels?.app === app).map(({ metadata }) => metadata.name);
}

/** What the addresses answer to a pod, TCP and UDP in turn; a line that is empty or says something else for each that fails. */
async function askFromPod(api: Api, pod: string, hosts: readonly string[]): Promise<readonly string[]> {
  const script = `
    for host in "$@"; do
      case $host in *:*) url="[$host]" ;; *) url=$host ;; esac
      for count in ${Array.from({ length: perPod }, (_, index) => index).join(" ")}; do
        curl -sgm 5 "http://$url/hostname"; echo
        exec 3<>"/dev/udp/$host/80"; printf hostname >&3; timeout 5 head -c ${pod.length} <&3; echo
      done
    done`;
  const argv = ["-n", api.namespace, "exec", pod, "--", "bash", "-c", script, "bash", ...hosts];
  return (await api.lab.kubectl(argv, undefined, 120_000)).trimEnd().split("\n");
}

function question(protocol: "tcp" | "udp"): string {
  return protocol === "tcp" ? "/hostname" : "hostname";
}

/**
 * Waits for the first answer of a new address to the LAN client. An address is shown before kube-proxy has opened the node port
 * behind it, which it does once a second at the most.
 */
export async function waitForAnswer(api: Api, host: string, timeoutMs = 15_000, port = 80): Promise<void> {
  await waitFor({ what: `an answer from ${host}`, timeoutMs }, async () => {
    return (
      (await askFrom(api.lab, "client", { protocol: "tcp", host, port, question: "/hostname" }, 1, 1_000)).good === 1
    );
  });
}

/** Ten questions, each over a connection of its own, every one answered, by pods of this test. */
export async function assertAnswers(api: Api, from: string, target: Target): Promise<void> {
  const report = await askFrom(api.lab, from, target, 10);
  assert.deepEqual(report.failures, [], `${from} → ${target.protocol} [${target.host}]:${target.port}`);
  for (const answer of Object.keys(report.answers)) assert.match(answer, /^web-[a-z0-9]{5}$/);
}

async function nodePorts(api: Api, service: string): Promise<readonly { nodePort: number; protocol: string }[]> {
  const { spec } = await api.get("v1", "Service", service);
  const ports: { nodePort?: number; protocol: string }[] = spec.ports;
  return ports.flatMap(({ nodePort, protocol }) => (nodePort === undefined ? [] : [{ nodePort, protocol }]));
}
