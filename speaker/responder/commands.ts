import type { Claim } from "../../src/heartbeat/messages.ts";
import type { IpFamily } from "../../src/ip/address.ts";
import type { ConflictPolicy } from "../../src/settings/speaker-settings.ts";
import type { Fact } from "../membership/effects.ts";
import type { Hearing } from "../membership/hearing.ts";
import type { ProgramsAnswer } from "../membership/inputs.ts";
import type { Health, LeaveIntent } from "../membership/stake.ts";
import type { FoundDevice, ProbeCause } from "./address-probes.ts";
import type { PeerAddress } from "./heartbeat-transport.ts";
import type { LanProbeTargets } from "./lan-probes.ts";
import type { Stake } from "./stake.ts";

/** Commands from the main thread to the responder thread. MACs have 6 bytes, in network order. */
export type ResponderCommand =
  | {
      /** The interface exists and has this hardware address. Sent again after a change: everything on it is then announced again. */
      readonly kind: "setInterface";
      readonly name: string;
      readonly index: number;
      readonly mac: Uint8Array;
    }
  | { readonly kind: "removeInterface"; readonly name: string }
  | {
      /** Takes the place of an earlier stake in the address. Its interfaces were set before. */
      readonly kind: "setStake";
      readonly stake: Stake;
      /** Why devices on the LAN are asked first: the stake is not armed before, and not while one answers for the address. Undefined: they are not. */
      readonly probe: ProbeCause | undefined;
    }
  /** Claims of the process before this one, by address, which ended a moment ago and said that it restarts. */
  | { readonly kind: "resume"; readonly claims: ReadonlyMap<string, Claim> }
  /** The address is withdrawn, whatever other nodes do. */
  | { readonly kind: "removeStake"; readonly address: string }
  | { readonly kind: "setHealth"; readonly health: Health }
  | {
      /** All other nodes that send heartbeats, and what on the LAN can be asked. The interfaces of these were set before. */
      readonly kind: "setPeers";
      readonly peers: readonly PeerAddress[];
      readonly probes: LanProbeTargets;
    }
  | {
      /** The keys of heartbeats, 32 bytes each, the newest first. Without this command no heartbeats are sent. */
      readonly kind: "setKeys";
      readonly cluster: string;
      readonly keys: readonly Uint8Array[];
    }
  /** What came of the connection that the report `askPrograms` required. */
  | {
      readonly kind: "programsAnswered";
      readonly node: string;
      readonly askedMs: number;
      readonly answer: ProgramsAnswer;
    }
  /** The process is about to end. The fact `leaveDone` says when it may. */
  | { readonly kind: "leave"; readonly intent: LeaveIntent }
  | { readonly kind: "stop" };

/** Reports from the responder thread to the main thread. */
export type ResponderReport =
  | {
      /** In the order in which they became true. */
      readonly kind: "facts";
      readonly facts: readonly Fact[];
    }
  /** Open a connection to the kubelet of the node: this thread waits for packets alone. */
  | { readonly kind: "askPrograms"; readonly node: string; readonly askedMs: number }
  /** Which other speakers are heard, and which count as dead. */
  | { readonly kind: "hearing"; readonly hearing: Hearing }
  | {
      /** Another device answers for an address that is announced here. */
      readonly kind: "conflict";
      readonly interfaceName: string;
      readonly address: Uint8Array;
      readonly mac: Uint8Array;
    }
  | {
      /** The socket of the interface could not be opened or broke: nothing is announced on it until the next `setInterface`. */
      readonly kind: "interfaceFailed";
      readonly name: string;
      readonly reason: string;
    }
  | {
      /** Another device has an address, which is not announced for that reason; or none has it any longer. */
      readonly kind: "addressUsed";
      readonly address: string;
      readonly by: FoundDevice | undefined;
    }
  | {
      /** The socket for heartbeats could not be opened or broke. It is opened again after a while. */
      readonly kind: "heartbeatsFailed";
      readonly family: IpFamily;
      readonly reason: string;
    };

/** What the thread is started with. */
export interface ResponderStart {
  /** Name of this node. */
  readonly node: string;
  /** The UDP port for heartbeats. */
  readonly heartbeatPort: number;
  readonly heartbeatIntervalMs: number;
  readonly onConflict: ConflictPolicy;
  readonly counters: SharedArrayBuffer;
  /** Memory of the AliveCounter. */
  readonly aliveCount: SharedArrayBuffer;
}
