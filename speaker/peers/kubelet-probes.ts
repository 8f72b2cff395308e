import type { Clock } from "../../src/clock/clock.ts";
import { formatAddress } from "../../src/ip/address.ts";
import type { ProgramsAnswer } from "../membership/inputs.ts";
import type { Responder } from "../responder/responder.ts";
import type { ProbeKubelet } from "./kubelet-probe.ts";
import type { Peer } from "./peer.ts";

/**
 * How many connections are open at once. When a firewall ends all heartbeats of a large cluster together, each speaker asks each other node: so many
 * handshakes at once would keep kubelets so busy that they looked frozen.
 */
const maxConnections = 100;

export interface KubeletProbesOptions {
  readonly heartbeats: { readonly peers: readonly Peer[] };
  readonly responder: Pick<Responder, "send">;
  readonly probe: ProbeKubelet;
  readonly clock: Clock;
}

/** Opens connections to kubelets where the membership requires it, and tells it what they have shown. */
export class KubeletProbes {
  readonly #options: KubeletProbesOptions;
  #open = 0;

  constructor(options: KubeletProbesOptions) {
    this.#options = options;
  }

  /**
   * The answer goes to the responder thread within a second: "unknown" at once while too many connections are open. A node that is not in the
   * directory of peers gets none.
   */
  ask(node: string, askedMs: number): void {
    const { heartbeats, responder, probe, clock } = this.#options;
    const peer = heartbeats.peers.find((known) => known.node === node);
    const [address] = peer?.addresses ?? [];
    if (peer === undefined || address === undefined) return;
    const tell = (answer: ProgramsAnswer): void => responder.send({ kind: "programsAnswered", node, askedMs, answer });
    if (this.#open >= maxConnections) {
      tell("unknown");
      return;
    }
    this.#open += 1;
    void probe(formatAddress(address), peer.kubeletPort, clock).then((answer) => {
      this.#open -= 1;
      tell(answer);
    });
  }
}
