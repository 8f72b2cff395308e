import type { Clock } from "../../src/clock/clock.ts";
import { formatAddress } from "../../src/ip/address.ts";
import type { Responder } from "../responder/responder.ts";
import type { ProbeKubelet } from "./kubelet-probe.ts";
import type { Peer } from "./peer.ts";

export interface KubeletProbesOptions {
  readonly heartbeats: { readonly peers: readonly Peer[] };
  readonly responder: Pick<Responder, "send">;
  readonly probe: ProbeKubelet;
  readonly clock: Clock;
}

/** Opens connections to kubelets where the membership requires it, and tells it what they have shown. */
export class KubeletProbes {
  readonly #options: KubeletProbesOptions;

  constructor(options: KubeletProbesOptions) {
    this.#options = options;
  }

  /** The answer goes to the responder thread within a second. A node that is not in the directory of peers gets none. */
  ask(node: string, askedMs: number): void {
    const { heartbeats, responder, probe, clock } = this.#options;
    const peer = heartbeats.peers.find((known) => known.node === node);
    const [address] = peer?.addresses ?? [];
    if (peer === undefined || address === undefined) return;
    void probe(formatAddress(address), peer.kubeletPort, clock).then((answer) =>
      responder.send({ kind: "programsAnswered", node, askedMs, answer }),
    );
  }
}
