import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { arpRequest } from "../unit/speaker/responder/frames.ts";
import { Namespace, skipReason } from "./namespace.ts";
import { patiently } from "./patience.ts";
import { Program, scriptPath } from "./program.ts";

const vip = "192.0.2.200";
const vip6 = "2001:db8::200";

const skip = skipReason();
describe("the responder thread on a wire", { skip: skip ?? false }, () => {
  let client: Namespace;
  let node: Namespace;
  let other: Namespace;
  let lan: Namespace;
  let responder: Program;
  let ourMac = "";
  const ends: (() => void)[] = [];
  before(async () => {
    [client, node, other, lan] = await Promise.all([
      Namespace.create("client"),
      Namespace.create("node"),
      Namespace.create("other"),
      Namespace.create("switch"),
    ]);
    for (const namespace of [client, node, other, lan]) ends.push(() => namespace.destroy());
    await lan.sh("ip link add br0 type bridge mcast_snooping 0; ip link set br0 up");
    for (const [index, host] of [client, node, other].entries()) {
      await lan.connect(host, `p${index}`, "eth0");
      await lan.sh(`ip link set p${index} master br0`);
      const number = [99, 11, 12][index];
      await host.sh(`ip addr add 192.0.2.${number}/24 dev eth0; ip addr add 2001:db8::${number}/64 dev eth0 nodad`);
    }
    responder = new Program(node, "responder-process.ts", ["eth0", vip, vip6]);
    ends.unshift(() => responder.kill());
    ourMac = (await responder.line()).split(" ")[1] ?? "";
  });
  after(() => {
    for (const end of ends) end();
  });

  test("arping gets every answer from the hardware address of the node", async () => {
    const output = await client.sh(arpings(20, vip));
    assert.equal([...output.matchAll(new RegExp(`from ${ourMac} \\(${vip}\\)`, "g"))].length, 20, output);
  });

  test("an address that is not announced gets none", async () => {
    assert.match(await client.try("arping -c 2 -w 1 -i eth0 192.0.2.201"), /100% unanswered/);
  });

  test("a probe for a duplicate is answered: the address is in use", async () => {
    assert.match(await client.sh(arpings(1, `-S 0.0.0.0 ${vip}`)), new RegExp(`from ${ourMac}`));
  });

  test("ndisc6 gets an advertisement with the hardware address of the node", async () => {
    assert.match((await client.sh(`ndisc6 -1 ${vip6} eth0`)).toLowerCase(), new RegExp(ourMac));
  });

  test("a kernel that gives itself the IPv6 address finds that it is taken", async () => {
    await other.sh(`sysctl -qw net.ipv6.conf.eth0.dad_transmits=3; ip addr add ${vip6}/64 dev eth0`);
    for (let attempt = 0; ; attempt++) {
      const state = await other.sh("ip -6 addr show dev eth0");
      if (state.includes("dadfailed")) break;
      assert.ok(attempt < patiently(100), `no dadfailed: ${state}`);
      await sleep(50);
    }
    await other.sh(`ip addr del ${vip6}/64 dev eth0`);
  });

  test("at a takeover the neighbours' entries change at once, without a request", async () => {
    for (const address of ["192.0.2.210", "2001:db8::210"]) {
      await client.sh(`ip neigh replace ${address} lladdr 02:00:00:00:00:66 dev eth0 nud stale`);
    }
    await responder.say(`set ${vip} ${vip6} 192.0.2.210 2001:db8::210`);
    for (const address of ["192.0.2.210", "2001:db8::210"]) {
      for (let attempt = 0; ; attempt++) {
        const entry = await client.sh(`ip neigh show ${address}`);
        if (entry.includes(ourMac)) break;
        assert.ok(attempt < patiently(100), `unchanged: ${entry}`);
        await sleep(50);
      }
    }
  });

  test("an address that was withdrawn is answered for no more", async () => {
    await responder.say(`set ${vip} ${vip6}`);
    assert.match(await client.try("arping -c 2 -w 1 -i eth0 192.0.2.210"), /100% unanswered/);
  });

  test("a request with a VLAN tag is none of its business, though the kernel takes the tag off", async () => {
    const request = arpRequest(vip, "192.0.2.99");
    const tag = Uint8Array.of(0x81, 0x00, 0, 5);
    const tagged = Uint8Array.of(...request.subarray(0, 12), ...tag, ...request.subarray(12));
    // Counted also where it does not answer, because it was late.
    const requests = async () => {
      const counters: unknown = JSON.parse(await responder.say(`set ${vip} ${vip6}`));
      return (counters as Record<string, number>).arpRequests ?? 0;
    };
    const before = await requests();
    const send = (frame: Uint8Array) =>
      client.sh(`${process.execPath} ${scriptPath("send-frame.ts")} eth0 ${Buffer.from(frame).toString("hex")}`);
    // They are read in this order, and a thread that waits for the processor reads them later.
    await send(tagged);
    await send(request);
    for (let attempt = 0; (await requests()) === before; attempt++) {
      assert.ok(attempt < patiently(100), "without the tag it is not received");
      await sleep(50);
    }
    assert.equal(await requests(), before + 1);
  });

  test("frames that the thread is too slow for are counted, each of them", async () => {
    const counters = async () => JSON.parse(await responder.say(`set ${vip} ${vip6}`)) as Record<string, number>;
    const sum = ({ lostFrames = 0, unrelatedFrames = 0 }: Record<string, number>) => lostFrames + unrelatedFrames;
    const before = await counters();
    const times = 5000;
    const frame = Buffer.from(arpRequest("192.0.2.201")).toString("hex");
    responder.signal("SIGSTOP");
    await client.sh(`${process.execPath} ${scriptPath("send-frame.ts")} eth0 ${frame} ${times}`);
    responder.signal("SIGCONT");
    for (let attempt = 0; sum(await counters()) < sum(before) + times; attempt++) {
      assert.ok(attempt < patiently(100), `${sum(await counters()) - sum(before)} of ${times} are counted`);
      await sleep(50);
    }
    assert.ok(((await counters()).lostFrames ?? 0) > 0, "the queue was never full");
  });

  test("another device that claims the address is reported", async () => {
    await other.sh(`ip addr add ${vip}/24 dev eth0; arping -c 1 -w 1 -U -i eth0 -S ${vip} ${vip} || true`);
    const line = await responder.line();
    assert.match(line, /^conflict 192\.0\.2\.200 /);
    await other.sh(`ip addr del ${vip}/24 dev eth0`);
  });

  test("an address that another host has is not announced, and is when that host no longer has it", async () => {
    const used = ["192.0.2.220", "2001:db8::220"] as const;
    const theirMac = (await other.sh("cat /sys/class/net/eth0/address")).trim();
    await other.sh(`ip addr add ${used[0]}/24 dev eth0; ip addr add ${used[1]}/64 dev eth0 nodad`);
    /** What the responder says of the two addresses, in any order. */
    const reports = async (first: string) => {
      const lines = [first];
      for (let line = await responder.line(); ; line = await responder.line()) {
        lines.push(line);
        const found = lines.filter((one) => one.startsWith("used"));
        if (found.length === 2) return found.sort();
      }
    };
    const hex = theirMac.replaceAll(":", "");
    const found = await reports(await responder.say(`probe ${used.join(" ")}`));
    assert.deepEqual(found, [`used ${used[0]} ${hex}`, `used ${used[1]} ${hex}`]);
    assert.doesNotMatch(await client.sh(`arping -c 3 -W 0.01 -i eth0 ${used[0]}`), new RegExp(ourMac));
    assert.doesNotMatch((await client.sh(`ndisc6 -m -w 100 -r 1 ${used[1]} eth0`)).toLowerCase(), new RegExp(ourMac));
    await other.sh(`ip addr del ${used[0]}/24 dev eth0; ip addr del ${used[1]}/64 dev eth0`);
    assert.deepEqual(await reports(""), [`used ${used[0]} by none`, `used ${used[1]} by none`]);
    assert.match(await client.sh(arpings(1, used[0])), new RegExp(ourMac));
    assert.match((await client.sh(`ndisc6 -1 ${used[1]} eth0`)).toLowerCase(), new RegExp(ourMac));
  });

  test("an address that no host has is announced after the probe", async () => {
    await responder.say("probe 192.0.2.221");
    const limitMs = performance.now() + patiently(5000);
    const ask = () => client.try("arping -C 1 -c 1 -W 0.1 -i eth0 192.0.2.221");
    let answer = await ask();
    while (!/ 0% unanswered/.test(answer) && performance.now() < limitMs) answer = await ask();
    assert.match(answer, new RegExp(ourMac));
  });

  test("it stops when asked", async () => {
    for (let line = await responder.say("stop"); ; line = await responder.line()) {
      if (line.startsWith("conflict")) continue;
      const counters = JSON.parse(line) as Record<string, number>;
      assert.ok((counters.arpReplies ?? 0) >= 22 && (counters.gratuitousArp ?? 0) >= 4);
      assert.equal(counters.sendErrors, 0);
      break;
    }
    assert.match(await client.try(`arping -c 1 -w 1 -i eth0 ${vip}`), /100% unanswered/);
  });
});

/**
 * So many requests, one after the other, each of which waits for its answer and is sent again after a second without one: after a stall of the machine a
 * node is silent for 150 ms. `-c` alone waits so long in any case, and then no longer.
 */
function arpings(times: number, target: string): string {
  return `for n in $(seq ${times}); do arping -C 1 -c ${patiently(5)} -i eth0 ${target}; done`;
}
