import { Dataplane } from "../../speaker/dataplane/dataplane.ts";
import { createDataplaneMetrics } from "../../speaker/dataplane/metrics.ts";
import { systemClock } from "../../src/clock/clock.ts";
import { silentLogger } from "../../src/log/log.ts";
import { createRegistry } from "../../src/metrics/registry.ts";
import type { RemoteKernel } from "./remote-kernel.ts";

/** A data plane that writes into the kernel of another namespace, where eth0 is on the LAN. Stop it before the kernel is killed. */
export function createKernelDataplane(kernel: RemoteKernel): Dataplane {
  const dataplane = new Dataplane({
    nft: kernel,
    conntrack: kernel,
    log: silentLogger,
    metrics: createDataplaneMetrics(createRegistry()),
    clock: systemClock,
    random: Math.random,
  });
  dataplane.setInterfaces(["eth0"]);
  return dataplane;
}
