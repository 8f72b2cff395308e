import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Dataplane } from "../../speaker/dataplane/dataplane.ts";
import { systemClock } from "../../src/clock/clock.ts";
import { projectNode } from "../../src/model/node.ts";
import { createServiceRules } from "../unit/speaker/service-rules-fixture.ts";
import { createKernelDataplane } from "./kernel-dataplane.ts";
import type { Lan } from "./lan.ts";
import { RemoteKernel } from "./remote-kernel.ts";

/** InternalIPs of n1. */
const own = ["192.0.2.11", "2001:db8::11"];

/** n1 of a LAN, which announces addresses of the Service default/web, with the rules that follow from what the cluster says. */
export class RulesNode {
  readonly dataplane: Dataplane;
  readonly cluster: ReturnType<typeof createServiceRules>;
  readonly #kernel: RemoteKernel;

  private constructor(kernel: RemoteKernel, addresses: readonly string[]) {
    this.#kernel = kernel;
    this.dataplane = createKernelDataplane(kernel);
    // So short that kube-proxy is not late at the next write, and long enough to be more than 0.
    const kubeProxyDelayMs = 1;
    this.cluster = createServiceRules({
      dataplane: this.dataplane,
      clock: systemClock,
      kubeProxyDelayMs,
      random: () => 0,
    });
    const internal = own.map((address) => ({ type: "InternalIP", address }));
    this.cluster.nodes.set("n1", projectNode({ metadata: { name: "n1" }, status: { addresses: internal } }));
    this.cluster.rules.nodeChanged();
    for (const address of addresses) this.cluster.assign(address, "web");
  }

  static async create(lan: Lan, addresses: readonly string[]): Promise<RulesNode> {
    const [n1] = lan.nodes;
    await lan.start(n1, "responder-process.ts", ["eth0", ...addresses]);
    return new RulesNode(await RemoteKernel.start(n1), addresses);
  }

  async write(): Promise<void> {
    const { rules } = this.cluster;
    rules.render();
    const { failures } = await this.dataplane.apply({ nodeAddresses: rules.node.addresses });
    assert.deepEqual(failures, []);
  }

  /** Writes what has changed, and writes again once kube-proxy has had the time to do so, too. */
  async writeUntilKnown(): Promise<void> {
    await this.write();
    await sleep(5);
    this.cluster.rules.allChanged();
    await this.write();
  }

  stop(): void {
    this.cluster.rules.stop();
    this.dataplane.stop();
    this.#kernel.kill();
  }
}
