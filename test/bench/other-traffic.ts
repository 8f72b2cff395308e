import { renderService } from "../../speaker/dataplane/render.ts";
import { parseAddress } from "../../src/ip/address.ts";
import { wholeNumber } from "../lab/whole-number.ts";
import { createKernelDataplane } from "../network/kernel-dataplane.ts";
import { Lan } from "../network/lan.ts";
import type { Namespace } from "../network/namespace.ts";
import type { Program } from "../network/program.ts";
import { RemoteKernel } from "../network/remote-kernel.ts";
import { byNodePort, endpoint, service, slice } from "../unit/speaker/dataplane/fake-node.ts";
import { formatSpread, spreadOf } from "./statistics.ts";

/**
 * What packets from pod to pod pay for our rules on the node between them: `npm run bench -- other-traffic [Services] [rounds]`. Needs root and nftables. One
 * node has the nat chains of a service proxy only, the second one also our rules, and the third one our rules with every other Service rewritten to
 * its node port. A pod of each sends datagrams of a flow that was answered, and node and pod route each to and fro until its hop limit is
 * used up: so it passes the node 127 times. The nodes take turns all the time, so that other work on the machine hits them alike. For the version
 * before, run it there.
 */
const [servicesText = "1000", roundsText = "500"] = process.argv.slice(2);
/** As many as 198.18.0.0/16 has addresses. */
const services = wholeNumber("Services", servicesText, { from: 1, to: 65_536 });
const rounds = wholeNumber("rounds", roundsText, { from: 1, to: 1_000_000 });
const passes = 127;
/** In each turn so many are sent, and the one in the middle counts. */
const perTurn = 7;

/** What every node of a cluster has, which tracks connections and has nat at each hook. */
const serviceProxy = `nft 'table ip proxy {
  chain pre { type nat hook prerouting priority -100; }
  chain out { type nat hook output priority -100; }
  chain post { type nat hook postrouting priority 100; meta mark 0x4000 masquerade; }
  chain refused { type filter hook forward priority 0; ct state new counter; }
}'`;

/** Makes pod and node route whatever comes for an address to each other. */
async function close(node: Namespace, pod: Namespace, address: string, number: number): Promise<void> {
  const quiet = (device: string) =>
    `net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.${device}.send_redirects=0 net.ipv4.conf.all.rp_filter=0`;
  await pod.sh(`sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.eth0.accept_local=1 ${quiet("eth0")}`);
  await node.sh(`sysctl -qw ${quiet("cni0")}; ip route add ${address} via 10.244.${number}.2`);
}

async function writeRules(node: Namespace, address: string, rewritten: boolean): Promise<() => void> {
  const kernel = await RemoteKernel.start(node);
  const dataplane = createKernelDataplane(kernel);
  const nodeAddresses = { IPv4: address, IPv6: undefined };
  const facts = { name: "n1", addresses: nodeAddresses, answersPing: true, hashSeed: 1 };
  const slices = [slice([endpoint("10.244.1.2")])];
  for (let index = 0; index < services; index++) {
    const own = parseAddress(`198.18.${index >> 8}.${index & 255}`);
    const view = service({ key: `default/s${index}`, ...(rewritten && index % 2 === 0 ? byNodePort : {}) });
    dataplane.setService(view.key, renderService(view, slices, own === undefined ? [] : [own], facts).elements);
  }
  const { failures } = await dataplane.apply({ nodeAddresses });
  if (failures.length > 0) throw failures[0]?.error;
  return () => {
    dataplane.stop();
    kernel.kill();
  };
}

/** Nanoseconds for each pass. */
async function measure(client: Program): Promise<number> {
  const times = JSON.parse(await client.say(`send ${perTurn}`)) as readonly number[];
  return spreadOf(times).median / passes;
}

const lan = await Lan.create({ count: 3 });
const stops: (() => void)[] = [];
try {
  const clients: Program[] = [];
  for (const [index, node] of lan.nodes.entries()) {
    await node.sh(serviceProxy);
    if (index > 0) stops.push(await writeRules(node, `192.0.2.${11 + index}`, index === 2));
    const pod = lan.pods[index] ?? node;
    const client = await lan.start(pod, "circling-client.ts", [`10.244.${((index + 1) % 3) + 1}.2`]);
    for (let asked = 0; asked < 3; asked++) await client.say("ask");
    clients.push(client);
  }
  for (const [index, node] of lan.nodes.entries())
    await close(node, lan.pods[index] ?? node, `10.244.${((index + 1) % 3) + 1}.2`, index + 1);
  const times: number[][] = clients.map(() => []);
  const ratios: number[][] = clients.map(() => []);
  for (let round = 0; round < rounds; round++) {
    const measured: number[] = [];
    for (const client of clients) measured.push(await measure(client));
    for (const [index, ns] of measured.entries()) {
      times[index]?.push(ns);
      ratios[index]?.push(ns / (measured[0] ?? Number.NaN));
    }
  }
  for (const [index, title] of ["a service proxy's chains only", "our rules", "ours that rewrite"].entries()) {
    const ns = formatSpread(spreadOf(times[index] ?? []));
    process.stdout.write(`${title}: ${ns} ns a pass, ratio ${formatSpread(spreadOf(ratios[index] ?? []), 3)}\n`);
  }
} finally {
  for (const stop of stops) stop();
  lan.destroy();
}
