import assert from "node:assert/strict";
import type { Cluster } from "./cluster.ts";

/** Waits for `status reason` of one condition of a pool, with a message like this. */
export async function expectPool(
  cluster: Cluster,
  name: string,
  type: string,
  text: string,
  says = /./,
): Promise<void> {
  await cluster.eventually(async () => {
    const conditions = (await cluster.pool(name)).status?.conditions;
    const found = conditions?.find((condition) => condition.type === type);
    assert.equal(`${found?.status} ${found?.reason}`, text);
    assert.match(found?.message ?? "", says);
  });
}
