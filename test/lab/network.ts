import {
  type Addresses,
  CLIENT,
  CONTROL,
  FAR_ROUTER,
  type LabFamilies,
  macAddress,
  nodeAddresses,
  nodePodRanges,
  OBSERVER,
  ofFamilies,
  REMOTE,
  ROUTER,
} from "./addresses.ts";
import { runChecked } from "./command.ts";
import { enterHost, hostProcess, ROOT_HOST } from "./namespaces.ts";
import type { LabOptions, LabState } from "./state.ts";

const LAN_BRIDGE = "lan";
const FAR_BRIDGE = "far";

/** The hosts beside the nodes, in the order in which they are started. */
export const HOSTS = ["control", "router", "client", "observer", "remote"];

async function ip(state: LabState, host: string, commands: readonly string[]): Promise<void> {
  await runChecked([...enterHost(state, host), "ip", "-batch", "-"], { input: `${commands.join("\n")}\n` });
}

/** A switch that passes multicast only to members, and asks who they are. Its times are in units of 10 ms, shorter than those
 * of RFC 3810: a question each 5 s, and a report counts for 15 s. */
const snooping = [
  "mcast_snooping 1 mcast_querier 1 mcast_mld_version 2 mcast_query_interval 500 mcast_startup_query_interval 100",
  "mcast_query_response_interval 100 mcast_membership_interval 1500",
].join(" ");

function snoops(state: LabState): boolean {
  return state.read()?.options.mldSnooping === true;
}

/** Puts up the two switches of the lab. They forward at once (no spanning tree) and flood multicast like a cheap switch
 * does, so that neighbour discovery needs no querier, unless the one of the LAN is to snoop; they learn addresses as switches do. */
export async function createBridges(state: LabState): Promise<void> {
  await ip(
    state,
    ROOT_HOST,
    [LAN_BRIDGE, FAR_BRIDGE].flatMap((bridge) => [
      `link add ${bridge} type bridge stp_state 0 forward_delay 0 ${bridge === LAN_BRIDGE && snoops(state) ? snooping : "mcast_snooping 0"}`,
      `link set ${bridge} up`,
    ]),
  );
  // The questions of the switch are sent from an address of its own.
  if (snoops(state))
    await runChecked([...enterHost(state, ROOT_HOST), "sysctl", "-qw", `net.ipv6.conf.${LAN_BRIDGE}.disable_ipv6=0`]);
}

interface Plugged {
  readonly state: LabState;
  readonly host: string;
  readonly families: LabFamilies;
}

/** Gives a host an interface, whose cable ends in a switch at a port named like the host. */
async function plug({ state, host, families }: Plugged, bridge: string, device: string, own: Addresses): Promise<void> {
  const port = device === "eth0" ? host : `${host}-${device}`;
  const { pid } = hostProcess(state, host);
  await ip(state, ROOT_HOST, [
    `link add ${port} type veth peer name ${device} address ${macAddress(own.ipv4)} netns ${pid}`,
    `link set ${port} master ${bridge} up`,
    ...(bridge === LAN_BRIDGE && snoops(state) ? [`link set ${port} type bridge_slave mcast_flood off`] : []),
  ]);
  await ip(state, host, [
    ...ofFamilies(families, {
      ipv4: `address add ${own.ipv4}/24 dev ${device}`,
      ipv6: `address add ${own.ipv6}/64 dev ${device} nodad`,
    }),
    `link set ${device} up`,
  ]);
}

function podRoutes(nodes: readonly string[], families: LabFamilies): string[] {
  return nodes.flatMap((node) => {
    const [addresses, pods] = [nodeAddresses(node), nodePodRanges(node)];
    return ofFamilies(families, {
      ipv4: `route add ${pods.ipv4} via ${addresses.ipv4}`,
      ipv6: `route add ${pods.ipv6} via ${addresses.ipv6}`,
    });
  });
}

function defaultRoutes(gateway: Addresses, families: LabFamilies): string[] {
  return ofFamilies(families, gateway).map((address) => `route add default via ${address}`);
}

/** Connects one host that has just been started; `nodes` are all nodes the lab will ever have. */
export async function connectHost(
  state: LabState,
  host: string,
  nodes: readonly string[],
  families: LabFamilies,
): Promise<void> {
  const here = { state, host, families };
  switch (host) {
    case "control":
      await plug(here, LAN_BRIDGE, "eth0", CONTROL);
      return ip(state, host, [...defaultRoutes(ROUTER, families), ...podRoutes(nodes, families)]);
    case "client":
      await plug(here, LAN_BRIDGE, "eth0", CLIENT);
      return ip(state, host, defaultRoutes(ROUTER, families));
    case "observer":
      return plug(here, LAN_BRIDGE, "eth0", OBSERVER);
    case "remote":
      await plug(here, FAR_BRIDGE, "eth0", REMOTE);
      return ip(state, host, defaultRoutes(FAR_ROUTER, families));
    case "router":
      await plug(here, LAN_BRIDGE, "eth0", ROUTER);
      await plug(here, FAR_BRIDGE, "eth1", FAR_ROUTER);
      // Pods speak with their own addresses to everyone, so the router has to know the way back.
      return ip(state, host, podRoutes(nodes, families));
    default: {
      await plug(here, LAN_BRIDGE, "eth0", nodeAddresses(host));
      const others = nodes.filter((node) => node !== host);
      const pods = nodePodRanges(host);
      // Else what is sent to a pod that is gone would go round between the node and its default gateway.
      const own = ofFamilies(families, pods).map((range) => `route add unreachable ${range}`);
      return ip(state, host, [...defaultRoutes(ROUTER, families), ...podRoutes(others, families), ...own]);
    }
  }
}

/** Takes a host's interface away without a last packet, as when its power fails. */
export async function unplug(state: LabState, host: string): Promise<void> {
  await ip(state, ROOT_HOST, [`link delete ${host}`]);
}

/** Pulls a host's cable out of the switch, or puts it back: the host's interface loses or gains its carrier. */
export async function setCable(state: LabState, host: string, connected: boolean): Promise<void> {
  await ip(state, ROOT_HOST, [`link set ${host} ${connected ? "up" : "down"}`]);
}

/** The hosts whose cable is pulled. */
export async function cutHosts(state: LabState): Promise<string[]> {
  const output = await runChecked([
    ...enterHost(state, ROOT_HOST),
    "ip",
    "-json",
    "link",
    "show",
    "master",
    LAN_BRIDGE,
  ]);
  const links = JSON.parse(output) as { ifname: string; flags: string[] }[];
  return links.filter((link) => !link.flags.includes("UP")).map((link) => link.ifname);
}

/** The hosts whose ports the switch of the LAN passes frames to this IPv6 multicast group to. Empty unless it snoops MLD. */
export async function groupMembers(state: LabState, group: string): Promise<readonly string[]> {
  const bridge = [...enterHost(state, ROOT_HOST), "bridge", "-json"];
  const output = await runChecked([...bridge, "mdb", "show", "dev", LAN_BRIDGE]);
  const [{ mdb = [] } = {}] = JSON.parse(output) as { mdb?: { grp: string; port: string }[] }[];
  return mdb.filter(({ grp }) => grp === group).map(({ port }) => port);
}

/** The pod network of one node, in the form in which container runtimes read it. Each pod has a cable of its own to the
 * node, which routes: with a bridge in between, pods of one node would reach each other past the node's packet filter,
 * and Services would need the module br_netfilter, which changes all bridges of the machine. Pods keep their own
 * addresses towards everyone (no masquerading), as in a cluster whose routers know the pod ranges. */
export function podNetwork(node: string, { families, hostPorts }: LabOptions): object {
  const pods = nodePodRanges(node);
  return {
    cniVersion: "1.0.0",
    name: "pods",
    plugins: [
      {
        type: "ptp",
        ipMasq: false,
        ipam: {
          type: "host-local",
          // Gone with the node's power, like the pods that held the addresses.
          dataDir: "/run/cni-ipam",
          ranges: ofFamilies(families, pods).map((subnet) => [{ subnet }]),
          routes: ofFamilies(families, { ipv4: "0.0.0.0/0", ipv6: "::/0" }).map((dst) => ({ dst })),
        },
      },
      ...(hostPorts ? [{ type: "portmap", capabilities: { portMappings: true } }] : []),
    ],
  };
}
