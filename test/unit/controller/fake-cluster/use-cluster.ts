import { afterEach, beforeEach } from "node:test";
import { Cluster } from "./cluster.ts";

/**
 * A cluster that is new for each test of the file or suite, prepared before and stopped after it; node n1 is in it unless the
 * preparation is another.
 */
export function useCluster(prepare: (cluster: Cluster) => Promise<void> = (cluster) => cluster.addNode("n1")): Cluster {
  const cluster = new Cluster();
  beforeEach(async () => {
    cluster.clear();
    await prepare(cluster);
  });
  afterEach(async () => {
    cluster.server.intercept = undefined;
    cluster.server.loseAnswer = undefined;
    await cluster.stopAll();
  });
  return cluster;
}
