import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import type { AddressExplanation } from "../../controller/explain/address/explanation.ts";
import type { PoolsPlan } from "../../controller/explain/pools/pools-plan.ts";
import type { ServiceExplanation } from "../../controller/explain/service/explanation.ts";
import { waitFor } from "../lab/wait.ts";
import { bellhopInPod } from "../product/controller-pod.ts";
import { productNamespace } from "../product/install.ts";
import { useCluster } from "./cluster.ts";
import { createService, startWeb } from "./workload.ts";

const ipv4Only = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] };
const program = new URL("../../src/cli/main.ts", import.meta.url).pathname;
const far = {
  apiVersion: "bellhop.dev/v1beta1",
  kind: "IPAddressPool",
  metadata: { name: "explain-far" },
  spec: { autoAssign: false, addresses: ["198.51.100.0/28"] },
};

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe("bellhop explain and bellhop pools plan", () => {
  const cluster = useCluster("nftables", "explain");

  async function inPod(args: readonly string[], input?: string): Promise<Answer> {
    const argv = ["kubectl", ...bellhopInPod(args)];
    return cluster().lab.exec("control", argv, input === undefined ? {} : { input });
  }

  /** As a user with a kubeconfig, on a machine outside the cluster. */
  async function asUser(args: readonly string[]): Promise<Answer> {
    const { lab } = cluster();
    return lab.exec("control", [process.execPath, program, ...args, "--kubeconfig", lab.kubeconfig]);
  }

  /** Asks until the first reason is the expected one; undefined: until the Service is served. */
  async function expectExplained(name: string, code: string | undefined): Promise<ServiceExplanation> {
    return waitFor({ what: `${name} to be explained by ${code}`, timeoutMs: 20_000, intervalMs: 300 }, async () => {
      const answer = await inPod(["explain", "service", `explain/${name}`, "--output", "json"]);
      assert.ok(answer.code === 0 || answer.code === 1, answer.stderr);
      const explanation = JSON.parse(answer.stdout) as ServiceExplanation;
      return explanation.reasons[0]?.code === code ? explanation : undefined;
    });
  }

  before(async () => {
    const { api } = cluster();
    await api.apply(far);
    await startWeb(api);
    await createService(api, "good", ipv4Only);
    await api.waitForAddresses("good");
  });
  after(async () => {
    await cluster().api.delete("bellhop.dev/v1beta1", "IPAddressPool", "explain-far");
  });

  test("a Service that is served: the announcer is who the VirtualIP says, exit code 0, the same from pod and kubeconfig", async () => {
    const explanation = await expectExplained("good", undefined);
    assert.ok(explanation.served);
    const part = explanation.families[0]?.addresses[0];
    assert.ok(part?.announcedBy !== undefined && part.owners.includes(part.announcedBy));
    assert.deepEqual(
      part.nodes.map(({ eligible }) => eligible),
      [true, true, true],
    );
    const fromPod = await inPod(["explain", "service", "good", "-n", "explain"]);
    assert.equal(fromPod.code, 0);
    const fromOutside = await asUser(["explain", "service", "explain/good"]);
    assert.equal(fromOutside.code, 0, fromOutside.stderr);
    assert.equal(fromOutside.stdout, fromPod.stdout);
    assert.match(fromPod.stdout, new RegExp(`✓ Served: ${explanation.addresses[0]} is announced`));
  });

  test("a user with no more rights than the roles for it gets the same answer; for one without, the error says what is missing", async () => {
    const { api, lab } = cluster();
    const config = JSON.parse(await lab.kubectl(["config", "view", "--raw", "-o", "json"])) as {
      users: { name: string; user: unknown }[];
    };
    const account = (name: string) => `system:serviceaccount:explain:${name}`;
    for (const name of ["asker", "stranger"]) {
      await api.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name } });
    }
    const who = `--user=${account("asker")}`;
    await lab.kubectl(["create", "clusterrolebinding", "explain-asker", "--clusterrole=bellhop-explain", who]);
    await lab.kubectl([
      "-n",
      productNamespace,
      "create",
      "rolebinding",
      "explain-asker",
      "--role=bellhop-explain",
      who,
    ]);
    const ask = async (name: string): Promise<Answer> => {
      const token = (await lab.kubectl(["-n", "explain", "create", "token", name])).trim();
      const users = config.users.map((entry) => ({ ...entry, user: { token } }));
      const file = `${lab.kubeconfig}.${name}`;
      await writeFile(file, JSON.stringify({ ...config, users }), { mode: 0o600 });
      const argv = [process.execPath, program, "explain", "service", "explain/good", "--kubeconfig", file];
      return lab.exec("control", argv).finally(() => rm(file));
    };
    try {
      const asked = await ask("asker");
      assert.equal(asked.code, 0, asked.stderr);
      assert.match(asked.stdout, /✓ Served/);
      const refused = await ask("stranger");
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, /explain:stranger" cannot (get|list) resource/);
    } finally {
      await lab.kubectl(["delete", "clusterrolebinding", "explain-asker"]);
      await lab.kubectl(["-n", productNamespace, "delete", "rolebinding", "explain-asker"]);
    }
  });

  const refusals = [
    { name: "garbage", spec: { loadBalancerIP: "one.two" }, code: "RequestedAddressInvalid", says: /"one\.two"/ },
    { name: "outside", spec: { loadBalancerIP: "203.0.113.9" }, code: "RequestedAddressNotInPool", says: /\(lan\)/ },
    { name: "node", spec: { loadBalancerIP: "172.30.0.11" }, code: "RequestedAddressTaken", says: /Node n1/ },
    { name: "foreign", spec: { loadBalancerClass: "example.com/x" }, code: "ForeignClass", says: /example\.com\/x/ },
    {
      name: "far",
      spec: { loadBalancerIP: "198.51.100.7" },
      code: "NoAnnouncer",
      says: /n1, n2, n3 have no interface/,
    },
    { name: "empty", spec: { selector: { app: "nobody" } }, code: "NoReadyEndpoint", says: /app=nobody/ },
    { name: "internal", spec: { type: "ClusterIP" }, code: "NotLoadBalancer", says: /ClusterIP/ },
  ];
  for (const { name, spec, code, says } of refusals) {
    test(`${name}: exit code 1, ${code}, and the cure`, async () => {
      await createService(cluster().api, name, { ...ipv4Only, ...spec });
      const { served, reasons } = await expectExplained(name, code);
      assert.ok(!served);
      const { code: exitCode, stdout } = await inPod(["explain", "service", `explain/${name}`]);
      assert.equal(exitCode, 1);
      assert.match(stdout, says);
      assert.ok(stdout.includes(`Cure: ${reasons[0]?.cure}`), stdout);
    });
  }

  test("no Service, no arguments, no cluster: exit code 2 and one line that says so", async () => {
    for (const [args, says] of [
      [["explain", "service", "explain/nosuch"], /Service explain\/nosuch does not exist/],
      [["explain", "service", "a/b/c"], /NAMESPACE\/NAME/],
      [["explain", "address", "x"], /not an IPv4 or IPv6 address/],
      [["pools", "plan", "-f", "/nosuch"], /cannot read \/nosuch/],
    ] as const) {
      const { code, stdout, stderr } = await inPod(args);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, says);
    }
  });

  test("an address: whose it is, and which are free", async () => {
    const { api } = cluster();
    const [good = ""] = await api.waitForAddresses("good");
    const ask = async (address: string): Promise<AddressExplanation> =>
      JSON.parse((await inPod(["explain", "address", address, "-o", "json"])).stdout);
    assert.deepEqual(await ask(good).then(({ state, services, pool }) => ({ state, services, pool })), {
      state: "assigned",
      services: ["explain/good"],
      pool: "lan",
    });
    assert.equal((await ask("172.30.0.11")).state, "used");
    assert.equal((await ask("198.51.100.1")).state, "free");
    assert.equal((await ask("203.0.113.9")).state, "outside");
  });

  test("a plan names who would fall outside, changes nothing, and harmless ones end with 0", async () => {
    const { api } = cluster();
    const [good = ""] = await api.waitForAddresses("good");
    const present = await api.get("bellhop.dev/v1beta1", "IPAddressPool", "lan");
    const plan = async (addresses: readonly string[]) => {
      const manifest = JSON.stringify({ ...far, metadata: { name: "lan" }, spec: { addresses } });
      const answer = await inPod(["pools", "plan", "-f", "-", "-o", "json"], manifest);
      return { code: answer.code, ...(JSON.parse(answer.stdout) as PoolsPlan) };
    };
    const smaller = await plan(["172.30.0.250", "fd30::200-fd30::2ff"]);
    assert.equal(smaller.code, 1);
    assert.ok(smaller.outside.some(({ address, services }) => address === good && services[0] === "explain/good"));
    const larger = await plan(["172.30.0.199-172.30.0.250", "fd30::200-fd30::2ff"]);
    assert.equal(larger.code, 0);
    assert.deepEqual(larger.addresses.IPv4, { added: "1", removed: "0" });
    const bad = await plan(["172.30.0.17/24", "172.30.0.30-172.30.0.20"]);
    assert.equal(bad.code, 1);
    assert.deepEqual(
      bad.invalid.map(({ reason }) => `${reason.code} ${reason.field}`),
      ["PoolRangeInvalid spec.addresses[0]", "PoolRangeInvalid spec.addresses[1]"],
    );
    const after = await api.get("bellhop.dev/v1beta1", "IPAddressPool", "lan");
    assert.deepEqual(after.spec, present.spec);
  });
});
