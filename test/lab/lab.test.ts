import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CLIENT, nodeAddresses } from "./addresses.ts";
import { AGNHOST_IMAGE } from "./agnhost-image.ts";
import { findLeftovers } from "./cleanup.ts";
import { runChecked } from "./command.ts";
import { LabError } from "./error.ts";
import { downLab, type Lab, openLab } from "./lab.ts";
import { findProcess, killAndWait } from "./processes.ts";
import { upLab } from "./up.ts";
import { waitFor } from "./wait.ts";

const NAME = "labtest";
const OPTIONS = { name: NAME, nodes: 1, dns: true, hostPorts: true };

/** What a lab could change about the machine it runs on, if something went past its namespaces. */
async function machine(): Promise<Record<string, string>> {
  const commands = ["ip link", "ip address", "ip route show table all", "ip -6 route", "nft list ruleset"];
  const settings = ["vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys"];
  const settingsOfNetwork = ["net/ipv4/ip_forward", "net/netfilter/nf_conntrack_max"];
  const seen: Record<string, string> = {};
  // Counters and lifetimes change by themselves.
  for (const command of commands) {
    const output = await runChecked(command.split(" "));
    seen[command] = output.replaceAll(/(packets|bytes) \d+|(expires|valid_lft|preferred_lft) \S+/g, "");
  }
  for (const setting of [...settings, ...settingsOfNetwork].map((name) => `/proc/sys/${name}`)) {
    if (existsSync(setting)) seen[setting] = readFileSync(setting, "utf8");
  }
  return seen;
}

let machineBefore: Record<string, string>;
let lab: Lab;

before(async () => {
  await downLab(NAME);
  machineBefore = await machine();
  lab = await upLab(OPTIONS);
});

after(() => downLab(NAME));

test("a lab that runs is used as it is, and not with other options", async () => {
  const processId = lab.processId("etcd");
  await upLab(OPTIONS);
  assert.equal(openLab(NAME).processId("etcd"), processId);
  const refused = (error: unknown) => error instanceof LabError && error.code === "different-options";
  await assert.rejects(upLab({ ...OPTIONS, proxy: "iptables" }), refused);
});

test("a pod behind a NodePort answers the client over both families", async () => {
  await lab.kubectl(["run", "echo", "--image", AGNHOST_IMAGE, "--", "netexec", "--http-port=8080"]);
  await lab.kubectl(
    ["apply", "-f", "-"],
    JSON.stringify({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "echo" },
      spec: {
        type: "NodePort",
        ipFamilyPolicy: "RequireDualStack",
        selector: { run: "echo" },
        ports: [
          { name: "http", port: 80, targetPort: 8080, nodePort: 30080 },
          { name: "dgram", protocol: "UDP", port: 81, targetPort: 8081 },
        ],
      },
    }),
  );
  const { ipv4, ipv6 } = nodeAddresses("n1");
  for (const host of [ipv4, `[${ipv6}]`]) {
    await waitFor({ what: `an answer from ${host}`, timeoutMs: 30_000 }, async () => {
      const url = `http://${host}:30080/hostname`;
      const answer = await lab.exec("client", ["curl", "-sS", "-m", "2", url], { timeoutMs: 10_000 });
      return answer.code === 0 && answer.stdout === "echo";
    });
  }
  const said = await lab.kubectl(["exec", "echo", "--", "sh", "-c", "echo $((6 * 7))"]);
  assert.equal(said.trim(), "42");
});

test("the test image has the commands that upstream's tests run, and resolves the names of Services", async () => {
  const commands = [
    "wget -T 5 -qO- http://echo.default/hostname",
    "wget -qO- http://echo.default.svc.cluster.local:80/hostname",
    "curl -sS -m 5 http://echo.default/hostname",
    "echo hostName | nc -w 2 -u echo.default 81",
  ];
  for (const command of commands) {
    const said = await lab.kubectl(["exec", "echo", "--", "sh", "-c", command]);
    assert.equal(said.trim(), "echo", command);
  }
  await lab.kubectl(["exec", "echo", "--", "nc", "-vz", "-w", "2", "echo.default.svc", "80"]);
});

test("a pod answers at its hostPort", async () => {
  const container = {
    name: "web",
    image: AGNHOST_IMAGE,
    args: ["netexec"],
    ports: [{ containerPort: 8080, hostPort: 8888 }],
  };
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "host-port" }, spec: { containers: [container] } };
  await lab.kubectl(["apply", "-f", "-"], JSON.stringify(pod));
  await waitFor({ what: "an answer at the hostPort", timeoutMs: 30_000 }, async () => {
    const url = `http://${nodeAddresses("n1").ipv4}:8888/hostname`;
    const answer = await lab.exec("client", ["curl", "-sS", "-m", "2", url], { timeoutMs: 10_000 });
    return answer.code === 0 && answer.stdout === "host-port";
  });
});

test("a node without its cable is out of reach until it is put back", async () => {
  const ping = ["/bin/busybox", "ping", "-c", "1", "-W", "1", nodeAddresses("n1").ipv4];
  await lab.cutNode("n1");
  assert.notEqual((await lab.exec("client", ping)).code, 0);
  assert.deepEqual(await lab.cutHosts(), ["n1"]);
  await lab.restoreNode("n1");
  // The client may still wait before it looks for the node again.
  const retry = ["/bin/busybox", "ping", "-c", "10", "-W", "1", nodeAddresses("n1").ipv4];
  assert.equal((await lab.exec("client", retry, { timeoutMs: 30_000 })).code, 0);
});

test("a switch loses frames in one direction, in both, and between halves; the interface keeps its carrier", async () => {
  const { ipv4 } = nodeAddresses("n1");
  const answers = async (from: string, to: string) =>
    (await lab.exec(from, ["arping", "-c", "1", "-W", "0.3", "-i", "eth0", to])).code === 0;
  // An ARP reply of the node arrives; its own requests do too, but no answer does.
  const carrier = ["cat", "/sys/class/net/eth0/carrier"];
  const received = async () =>
    Number((await lab.exec("n1", ["cat", "/sys/class/net/eth0/statistics/rx_packets"])).stdout);
  assert.equal(await answers("client", ipv4), true);
  for (const [drop, hears] of [
    [() => lab.muteHost("n1"), true],
    [() => lab.deafenHost("n1"), false],
    [() => lab.silenceHost("n1"), false],
    [() => lab.splitLan(["n1"], ["client", "observer"]), false],
  ] as const) {
    await drop();
    const before = await received();
    assert.equal(await answers("client", ipv4), false, String(drop));
    if (hears) assert.ok((await received()) > before, String(drop));
    assert.equal((await lab.exec("n1", carrier)).stdout.trim(), "1");
    await lab.deliverFrames();
    assert.equal(await answers("client", ipv4), true, String(drop));
  }
  await lab.splitLan(["n1"], ["client"]);
  assert.equal(await answers("observer", ipv4), true);
  await lab.deliverFrames();
});

test("a frozen node runs nothing until it is thawed, and can be switched off", async () => {
  const working = ["curl", "-sS", "-m", "1", "http://127.0.0.1:10248/healthz"];
  const kubelet = async () => (await lab.exec("n1", working)).stdout;
  assert.equal(await kubelet(), "ok");
  await lab.freezeNode("n1");
  assert.equal(await kubelet(), "");
  await lab.thawNode("n1");
  assert.equal(await kubelet(), "ok");
  await lab.freezeNode("n1");
  await lab.stopNode("n1");
  await lab.startNode("n1");
});

test("of a process whose main thread is frozen the other threads run", async () => {
  const code =
    "setInterval(() => console.log('main'), 20); new worker_threads.Worker(`setInterval(() => process.stdout.write('worker'), 20)`, { eval: true })";
  const child = lab.spawn("client", [process.execPath, "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout ?? child, "data");
  const { pid } = findProcess(child.pid ?? 0) ?? assert.fail("it has ended");
  const ticks = (thread: number) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[2]);
  const others = () =>
    readdirSync(`/proc/${pid}/task`).reduce(
      (sum, thread) => sum + (Number(thread) === pid ? 0 : ticks(Number(thread))),
      0,
    );
  const frozen = await lab.freezeMainThread({ pid, startTime: 0 });
  const [main, rest] = [ticks(pid), others()];
  await waitFor({ what: "the worker to run", timeoutMs: 10_000 }, async () => others() > rest + 5);
  assert.equal(ticks(pid), main);
  await frozen.thaw();
  await waitFor({ what: "the main thread to run", timeoutMs: 10_000 }, async () => ticks(pid) > main);
  child.kill("SIGKILL");
  await once(child, "exit");
});

test("a node keeps its disk and its address when it is switched off and on", async () => {
  await lab.exec("n1", ["sh", "-c", "echo kept >/var/lib/kept; echo lost >/run/lost"]);
  const address = ["cat", "/sys/class/net/eth0/address"];
  const before = await lab.exec("n1", address);
  await lab.stopNode("n1");
  assert.equal(lab.isRunning("n1.kubelet"), false);
  await assert.rejects(lab.exec("n1", ["true"]), (error) => error instanceof LabError && error.code === "not-running");
  await lab.startNode("n1");
  assert.equal((await lab.exec("n1", ["cat", "/var/lib/kept"])).stdout, "kept\n");
  assert.notEqual((await lab.exec("n1", ["cat", "/run/lost"])).code, 0);
  assert.equal((await lab.exec("n1", address)).stdout, before.stdout);
});

test("the API is gone while its server is stopped and the same afterwards", async () => {
  await lab.stopApiServer();
  await assert.rejects(lab.api("GET", "/api/v1/nodes"), LabError);
  await lab.startApiServer();
  const nodes = await lab.api<{ items: { metadata: { name: string } }[] }>("GET", "/api/v1/nodes");
  assert.deepEqual(
    nodes.items.map((node) => node.metadata.name),
    ["n1"],
  );
});

test("a program of ours runs in the client's network and gets our signals", async () => {
  const source = "process.on('SIGTERM', () => process.exit(7)); setInterval(() => {}, 1000);".concat(
    "console.log(Object.values(os.networkInterfaces()).flat().map((one) => one.address).join())",
  );
  const child = lab.spawn("client", [process.execPath, "-e", source], { stdio: ["ignore", "pipe", "inherit"] });
  const [output] = (await once(child.stdout ?? child, "data")) as [Buffer];
  assert.ok(output.toString().split(",").includes(CLIENT.ipv4), output.toString());
  child.kill("SIGTERM");
  assert.deepEqual(await once(child, "exit"), [7, null]);
});

test("a program of ours runs in a node's network with the machine's files, wherever these are", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bellhop-lab-"));
  try {
    const program = join(folder, "addresses.js");
    writeFileSync(
      program,
      "console.log(Object.values(require('os').networkInterfaces()).flat().map((one) => one.address).join())",
    );
    const child = lab.spawnInNetwork("n1", [process.execPath, program], { stdio: ["ignore", "pipe", "inherit"] });
    const [output] = (await once(child.stdout ?? child, "data")) as [Buffer];
    assert.ok(output.toString().trim().split(",").includes(nodeAddresses("n1").ipv4), output.toString());
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a lab whose first process was killed is brought up again", async () => {
  const root = findProcess(lab.processId("lan") ?? 0);
  assert.ok(root);
  await killAndWait(root);
  assert.equal(lab.isRunning("n1.kubelet"), false);
  lab = await upLab(OPTIONS);
  assert.match(await lab.kubectl(["get", "nodes"]), /n1\s+Ready/);
});

test("nothing is left of a lab that was taken down", async () => {
  const networks = lab.networks();
  const child = lab.spawn("client", ["sleep", "600"], { stdio: "ignore" });
  assert.ok((await findLeftovers(NAME, networks)).length > 10);
  const ended = once(child, "exit");
  await lab.down();
  await ended;
  assert.deepEqual(await findLeftovers(NAME, networks), []);
  assert.deepEqual(await machine(), machineBefore);
  await lab.down();
});
