import type { Clock, Random } from "../src/clock/clock.ts";
import type { ApiClient } from "../src/kube/client.ts";
import type { EventRecorder } from "../src/kube/event.ts";
import type { KubeMetrics } from "../src/kube/metrics.ts";
import type { Logger } from "../src/log/log.ts";
import type { Registry } from "../src/metrics/registry.ts";
import type { Nft } from "../src/nft/nft.ts";
import type { SpeakerSettings } from "../src/settings/speaker-settings.ts";
import type { GroupSocket } from "./announce/group-socket.ts";
import type { MissingFeature } from "./dataplane/self-test.ts";
import type { HostSettings } from "./host-checks/host-settings.ts";
import type { Kernel, KernelOptions } from "./kernel/kernel.ts";
import type { StakeFile } from "./last-stakes/stake-file.ts";
import type { Link } from "./links/link.ts";
import type { ProbeKubelet } from "./peers/kubelet-probe.ts";
import type { Responder, ResponderOptions } from "./responder/responder.ts";

/** Everything that the speaker uses of the outside world. */
export interface SpeakerOptions {
  readonly settings: SpeakerSettings;
  readonly client: ApiClient;
  readonly events: EventRecorder;
  readonly createKernel: (options: KernelOptions) => Kernel;
  readonly createResponder: (options: ResponderOptions) => Responder;
  readonly stakeFile: StakeFile;
  /** What the kernel of this node lacks. */
  readonly findMissingFeatures: (nft: Nft) => Promise<readonly MissingFeature[]>;
  readonly openGroupSocket: () => Promise<GroupSocket>;
  readonly probeKubelet: ProbeKubelet;
  readonly readHostSettings: (links: readonly Link[]) => HostSettings;
  /** `nodePortAddresses` of the kube-proxy of this node; undefined: not known. */
  readonly readNodePortAddresses: () => Promise<readonly string[] | undefined>;
  readonly kernelRelease: string;
  readonly bootNonce: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly registry: Registry;
  readonly kubeMetrics: KubeMetrics;
}
