import type { HeartbeatKey } from "../../src/heartbeat/heartbeat-key.ts";
import { addressBytes } from "../../src/ip/address.ts";
import type { Logger } from "../../src/log/log.ts";
import { parseMac } from "../../src/packet/mac.ts";
import { deliverableFamilies } from "../health/deliverable-families.ts";
import type { NodeHealth } from "../health/node-health.ts";
import type { Link } from "../links/link.ts";
import type { Health } from "../membership/stake.ts";
import type { PeerAddress } from "../responder/heartbeat-transport.ts";
import type { Responder } from "../responder/responder.ts";
import { isOnSomeLan, lanProbeTargets } from "./lan-probe-targets.ts";
import type { Peer, PeerDirectory } from "./peer.ts";

export interface HeartbeatSetupOptions {
  /** Name of this node. */
  readonly node: string;
  readonly responder: Pick<Responder, "send">;
  /** Sets interfaces in the responder thread. */
  readonly watch: (links: readonly Link[]) => void;
  readonly identities: { readonly views: PeerDirectory };
  /** Addresses that are asked as gateways are. */
  readonly witnesses: readonly string[];
  readonly host: { readonly links: readonly Link[]; readonly gateways: readonly string[] };
  /** Names of the interfaces on whose LAN there is an address of a Service. */
  readonly lanInterfaces: () => readonly string[];
  readonly keys: () => readonly HeartbeatKey[];
  readonly health: { readonly current: NodeHealth };
  /** The setup has changed. */
  readonly onChange: () => void;
  readonly log: Logger;
}

/** Tells the responder thread what it needs for heartbeats: keys, peers, what on the LAN can be asked, and the health of this node. */
export class HeartbeatSetup {
  readonly #options: HeartbeatSetupOptions;
  #cluster: string | undefined;
  /** Of an earlier speaker on this node, until the API server has answered. */
  #restored: PeerDirectory | undefined;
  #peersDue = false;
  #sentHealth = "";
  /** The witnesses that were reported as not asked. */
  #unreachable = "";

  constructor(options: HeartbeatSetupOptions) {
    this.#options = options;
  }

  /** The uid that identifies the cluster; undefined: it is not known yet. */
  get cluster(): string | undefined {
    return this.#cluster;
  }

  /** The peers that are in use. */
  get peers(): readonly Peer[] {
    const { node, identities } = this.#options;
    const directory = identities.views.size === 0 ? (this.#restored ?? identities.views) : identities.views;
    return [...directory.values()].filter((peer) => peer.node !== node && peer.addresses.length > 0);
  }

  /** Whether there is a SpeakerIdentity of the node. */
  hasIdentity(node: string): boolean {
    return this.#options.identities.views.has(node);
  }

  setCluster(uid: string): void {
    if (uid === this.#cluster) return;
    this.#cluster = uid;
    this.keysChanged();
  }

  /** Uses these peers until the API server lists others. */
  restore(peers: readonly Peer[]): void {
    this.#restored = new Map(peers.map((peer) => [peer.node, peer]));
    this.peersChanged();
  }

  keysChanged(): void {
    const { responder, keys, onChange } = this.#options;
    const bytes = keys().map((key) => key.exportBytes());
    if (this.#cluster === undefined || bytes.length === 0) return;
    responder.send({ kind: "setKeys", cluster: this.#cluster, keys: bytes });
    onChange();
  }

  /** A SpeakerIdentity, the interfaces of this node or its routers have changed. Costs as much as there are nodes, once for a burst of changes. */
  peersChanged(): void {
    if (this.#peersDue) return;
    this.#peersDue = true;
    setImmediate(() => {
      this.#peersDue = false;
      this.#sendPeers();
    });
  }

  /** The health or the interfaces of this node may have changed. */
  healthChanged(): void {
    const { responder, health, host, lanInterfaces } = this.#options;
    const families = deliverableFamilies(health.current.readyFamilies, host.links, lanInterfaces());
    const sent: Health = { ipv4: families.includes("IPv4"), ipv6: families.includes("IPv6") };
    const text = JSON.stringify(sent);
    if (text === this.#sentHealth) return;
    this.#sentHealth = text;
    responder.send({ kind: "setHealth", health: sent });
  }

  #sendPeers(): void {
    const { node, responder, watch, witnesses, host, onChange } = this.#options;
    const peers = this.peers;
    const directory = new Map(peers.map((peer) => [peer.node, peer]));
    const probes = lanProbeTargets(node, host.links, [...host.gateways, ...witnesses], directory);
    const used = new Set([...probes.gateways, ...probes.nodes.values()].map(({ interfaceName }) => interfaceName));
    watch(host.links.filter(({ name }) => used.has(name)));
    responder.send({ kind: "setPeers", peers: peers.map(peerAddressOf), probes });
    this.#reportUnreachable();
    onChange();
  }

  #reportUnreachable(): void {
    const { witnesses, host, log } = this.#options;
    // Before the first reading of the node nothing is known.
    if (host.links.length === 0) return;
    const unreachable = witnesses.filter((text) => !isOnSomeLan(host.links, text));
    if (unreachable.join() === this.#unreachable) return;
    this.#unreachable = unreachable.join();
    if (unreachable.length === 0) return;
    log.warn(
      { witnesses: unreachable },
      "these addresses of --witnesses are on no LAN of this node, or are its own, and are not asked; name devices on the LAN of the nodes",
    );
  }
}

function peerAddressOf({ node, addresses, port, macs }: Peer): PeerAddress {
  return {
    node,
    addresses: addresses.map((address) => addressBytes(address)),
    port,
    macs: macs.flatMap((mac) => parseMac(mac) ?? []),
  };
}
