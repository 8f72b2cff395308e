import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { probeFrame } from "../../speaker/responder/lan-probe.ts";
import { address, mac } from "../unit/speaker/responder/frames.ts";
import { Lan } from "./lan.ts";
import { macOf } from "./lan-node.ts";
import { type Namespace, skipReason } from "./namespace.ts";
import { patiently } from "./patience.ts";
import { scriptPath } from "./program.ts";

const addresses = {
  IPv4: ["192.0.2.11", "192.0.2.12"],
  IPv6: ["2001:db8::11", "2001:db8::12"],
} as const;

const skip = skipReason() ?? false;
describe("a node that was cut off, and whose hardware address is known", { skip }, () => {
  let lan: Lan;
  before(async () => {
    lan = await Lan.create();
  });
  after(() => lan.destroy());

  async function entryOf(host: Namespace, neighbor: string): Promise<string> {
    return (await host.sh(`ip neigh show to ${neighbor} dev eth0`)).trim();
  }

  for (const [family, [own, other]] of Object.entries(addresses)) {
    test(`is found by one frame, and learns where this node is, by ${family}`, async () => {
      const [n1, n2] = lan.nodes;
      // As after an outage: the kernel has asked in vain, and each new packet makes it ask again, once a second.
      await n2.sh("ip link set eth0 down");
      await n1.sh(`ip neigh flush to ${other} dev eth0; ping -n -c 1 -W 5 ${other} || true`);
      assert.match(await entryOf(n1, other), /FAILED|INCOMPLETE/);
      await n2.sh("ip link set eth0 up; ip -6 addr replace 2001:db8::12/64 dev eth0 nodad");
      assert.equal(await entryOf(n2, own), "");
      const probe = { target: address(other), source: address(own) };
      const [from, to] = [mac(await macOf(lan, 1)), mac(await macOf(lan, 2))];
      const frame = Buffer.from(probeFrame(from, probe, to)).toString("hex");
      // Where a frame is lost because the link is not ready, the next heartbeat has another one.
      const limitMs = performance.now() + patiently(5_000);
      for (;;) {
        await n1.sh(`${process.execPath} ${scriptPath("send-frame.ts")} eth0 ${frame}`);
        if ((await entryOf(n2, own)).includes("lladdr")) break;
        assert.ok(performance.now() < limitMs, await n2.sh("ip neigh"));
        await sleep(100);
      }
    });
  }
});
