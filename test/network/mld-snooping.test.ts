import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ownPath } from "../../src/kube/path.ts";
import { ApiServer } from "./api-server.ts";
import { Lan, membershipMs } from "./lan.ts";
import { skipReason } from "./namespace.ts";
import { patiently } from "./patience.ts";

const address = "2001:db8::200";
/** Its solicited-node group (RFC 4291 section 2.7.1). */
const group = "ff02::1:ff00:200";
const virtualIp = ownPath("virtualips", "2001-db8--200");

const skip = skipReason();
describe("a switch that snoops MLD, and passes solicitations only to members of the group", {
  skip: skip ?? false,
}, () => {
  let lan: Lan;
  let api: ApiServer;
  const ends: (() => void)[] = [];
  before(async () => {
    lan = await Lan.create({ mldSnooping: true });
    ends.push(() => lan.destroy());
    await waitFor("the switch passes nothing", () => isReachable("2001:db8::11"));
    api = await ApiServer.start(lan.nodes[0]);
    ends.unshift(() => api.destroy());
    await setOwners("n2", "n1");
    api.startBellhop("speaker");
  });
  after(() => {
    for (const end of ends) end();
  });

  async function setOwners(...owners: readonly string[]): Promise<void> {
    await api.patch(virtualIp, { spec: { owners } });
  }

  /**
   * Whether the client gets an answer to a solicitation, which it sends to the group, and as a kernel does again after a second without one: after a stall
   * of the machine a node is silent for 150 ms.
   */
  async function isReachable(target = address): Promise<boolean> {
    return /Target link-layer/.test(await lan.client.try(`ndisc6 -1 -r 3 -w ${patiently(1000)} ${target} eth0`));
  }

  async function waitFor(what: string, holds: () => Promise<boolean>): Promise<void> {
    for (let attempt = 0; !(await holds()); attempt++) {
      assert.ok(attempt < patiently(100), what);
      await sleep(50);
    }
  }

  test("a node that waits to take over is a member already, and does not answer", async () => {
    await waitFor("the switch has no member", async () => (await lan.groupsOf(1)).includes(group));
    assert.equal(await isReachable(), false);
    assert.equal((await lan.groupsOf(2)).includes(group), false);
  });

  test("after the takeover it answers, also for longer than the switch keeps a report", async () => {
    await setOwners("n1", "n2");
    await waitFor("it does not answer", () => isReachable());
    const endMs = performance.now() + 2 * membershipMs;
    while (performance.now() < endMs) {
      assert.equal(await isReachable(), true);
      await sleep(200);
    }
    assert.ok((await lan.groupsOf(1)).includes(group));
  });
});
