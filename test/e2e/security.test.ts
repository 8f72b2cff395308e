import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { CONTROL } from "../lab/addresses.ts";
import { useCluster } from "./cluster.ts";
import { createService } from "./workload.ts";

const cluster = useCluster("nftables", "security");
const own = "/apis/bellhop.dev/v1beta1";
const leases = "/apis/coordination.k8s.io/v1/namespaces/bellhop-system/leases";
const mergePatch = "application/merge-patch+json";

/** Asks the API server with a token and nothing else, in the namespace of the control plane. */
const script = `
const [url, method, contentType, token, body] = process.argv.slice(1);
const headers = { authorization: "Bearer " + token, "content-type": contentType };
const answer = await fetch(url, { method, headers, ...(body === "" ? {} : { body }) });
console.log(JSON.stringify({ status: answer.status, body: await answer.text() }));
`;

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function askAs(token: string, method: string, path: string, body?: object): Promise<Answer> {
  const contentType = method === "PATCH" ? mergePatch : "application/json";
  const args = [`https://${CONTROL.ipv4}:6443${path}`, method, contentType, token, body ? JSON.stringify(body) : ""];
  const node = ["/usr/bin/env", "NODE_TLS_REJECT_UNAUTHORIZED=0", process.execPath, "--input-type=module"];
  const { code, stdout, stderr } = await cluster().lab.exec("control", [...node, "-e", script, "--", ...args]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Answer;
}

/** The kind of token that the kubelet mounts into the speaker's pod of that node. */
async function speakerToken(node: string): Promise<string> {
  const { lab } = cluster();
  const { items } = await lab.api<{ items: { metadata: { name: string; uid: string } }[] }>(
    "GET",
    `/api/v1/namespaces/bellhop-system/pods?labelSelector=app.kubernetes.io/component=speaker&fieldSelector=spec.nodeName=${node}`,
  );
  const [pod] = items;
  assert.ok(pod !== undefined, `a speaker runs on ${node}`);
  const bound = ["--bound-object-kind", "Pod", "--bound-object-name", pod.metadata.name];
  const args = ["-n", "bellhop-system", "create", "token", "bellhop-speaker", ...bound];
  return (await lab.kubectl([...args, "--bound-object-uid", pod.metadata.uid])).trim();
}

describe("a stolen token of the speaker on n1", () => {
  let token = "";

  /** Its holder may renew it between the reading and the writing, which the API server notices before it asks the policy. */
  async function stealLease(name: string): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const lease = JSON.parse((await askAs(token, "GET", `${leases}/${name}`)).body);
      lease.spec.holderIdentity = "thief";
      const answer = await askAs(token, "PUT", `${leases}/${name}`, lease);
      if (answer.status !== 409 || attempt === 10) return answer;
    }
  }

  before(async () => {
    token = await speakerToken("n1");
  });

  test("writes its own Speaker", async () => {
    const { status, body } = await askAs(token, "PATCH", `${own}/speakers/n1/status`, { status: { kernel: "6.0" } });
    assert.equal(status, 200, body);
  });

  test("does not write the Speaker of another node, nor create one", async () => {
    const patched = await askAs(token, "PATCH", `${own}/speakers/n2/status`, { status: { interfaces: [] } });
    assert.equal(patched.status, 422, patched.body);
    assert.match(patched.body, /may write only the Speaker of that name/);
    const speaker = { apiVersion: "bellhop.dev/v1beta1", kind: "Speaker", metadata: { name: "n9" } };
    assert.equal((await askAs(token, "POST", `${own}/speakers`, speaker)).status, 422);
  });

  test("writes its own SpeakerIdentity, and not that of another node", async () => {
    const spec = { addresses: [CONTROL.ipv4], port: 7482, macs: [] };
    const mine = await askAs(token, "PATCH", `${own}/speakeridentities/n1`, { spec });
    assert.equal(mine.status, 200, mine.body);
    const patched = await askAs(token, "PATCH", `${own}/speakeridentities/n2`, { spec });
    assert.equal(patched.status, 422, patched.body);
    assert.match(patched.body, /may write only the SpeakerIdentity of that name/);
    const identity = { apiVersion: "bellhop.dev/v1beta1", kind: "SpeakerIdentity", metadata: { name: "n9" }, spec };
    assert.equal((await askAs(token, "POST", `${own}/speakeridentities`, identity)).status, 422);
  });

  test("records its own events about VirtualIPs, and no others", async () => {
    const event = (kind: string, instance: string) => ({
      apiVersion: "v1",
      kind: "Event",
      metadata: { generateName: "stolen-", namespace: "default" },
      involvedObject: { kind, name: "x" },
      reportingInstance: instance,
    });
    const path = "/api/v1/namespaces/default/events";
    const mine = await askAs(token, "POST", path, event("VirtualIP", "n1"));
    assert.equal(mine.status, 201, mine.body);
    for (const other of [event("Service", "n1"), event("VirtualIP", "n2")]) {
      const answer = await askAs(token, "POST", path, other);
      assert.equal(answer.status, 422, answer.body);
      assert.match(answer.body, /may write only its own events about VirtualIPs/);
    }
  });

  test("does not write the Lease of another node, nor that of the controller", async () => {
    for (const name of ["speaker-n2", "bellhop-controller"]) {
      const answer = await stealLease(name);
      assert.equal(answer.status, 422, answer.body);
      assert.match(answer.body, /may write only the Lease speaker-n1/);
    }
    const mine = JSON.parse((await askAs(token, "GET", `${leases}/speaker-n1`)).body);
    const renewed = await askAs(token, "PUT", `${leases}/speaker-n1`, mine);
    assert.ok([200, 409].includes(renewed.status), renewed.body);
  });

  test("does not claim to announce an address that n1 does not own, nor change the controller's conditions", async () => {
    const { api, lab } = cluster();
    await createService(api, "web", { ports: [{ port: 80 }] });
    const [address = ""] = await api.waitForAddresses("web");
    const path = `${own}/virtualips/${address}`;
    await lab.kubectl(["wait", `virtualip/${address}`, "--for=jsonpath={.status.node}", "--timeout=30s"]);
    const { spec } = await lab.api<{ spec: { owners: readonly string[] } }>("GET", path);
    const stranger = lab.nodes.find((node) => !spec.owners.includes(node));
    const [announcer = ""] = spec.owners;
    const claim = (node: string) => ({ status: { node } });
    if (stranger !== undefined) {
      const answer = await askAs(await speakerToken(stranger), "PATCH", `${path}/status`, claim(stranger));
      assert.equal(answer.status, 422, answer.body);
    }
    const ofOwner = await speakerToken(announcer);
    const other = lab.nodes.find((node) => node !== announcer) ?? "";
    assert.equal((await askAs(ofOwner, "PATCH", `${path}/status`, claim(other))).status, 422);
    const condition = {
      type: "InPool",
      status: "False",
      reason: "X",
      message: "",
      lastTransitionTime: "2026-01-01T00:00:00Z",
    };
    const forged = await askAs(ofOwner, "PATCH", `${path}/status`, { status: { conditions: [condition] } });
    assert.equal(forged.status, 422, forged.body);
    const owners = await askAs(ofOwner, "PATCH", `${path}/status`, { status: { owners: [{ node: other }] } });
    assert.equal(owners.status, 422, owners.body);
    assert.match(owners.body, /the controller alone writes status.owners/);
    const forwarding = await askAs(ofOwner, "PATCH", `${path}/status`, { status: { forwarding: "nodeport" } });
    assert.equal(forwarding.status, 422, forwarding.body);
    assert.equal((await askAs(ofOwner, "PATCH", `${path}/status`, claim(announcer))).status, 200);
    const taken = { spec: { owners: [other] } };
    assert.equal((await askAs(ofOwner, "PATCH", path, taken)).status, 403);
  });

  test("reads no Secret but the key of heartbeats, and writes none", async () => {
    const secrets = "/api/v1/namespaces/bellhop-system/secrets";
    for (const path of ["/api/v1/secrets", secrets, `${secrets}/other`])
      assert.equal((await askAs(token, "GET", path)).status, 403, path);
    const key = `${secrets}/bellhop-heartbeat`;
    assert.equal((await askAs(token, "GET", key)).status, 200);
    assert.equal((await askAs(token, "PATCH", key, { data: {} })).status, 403);
    assert.equal((await askAs(token, "DELETE", key)).status, 403);
  });

  test("writes no Service", async () => {
    const service = "/api/v1/namespaces/security/services/web";
    for (const path of [service, `${service}/status`])
      assert.equal((await askAs(token, "PATCH", path, { metadata: { labels: { a: "b" } } })).status, 403);
  });
});

test("a token of the speaker's account that is bound to no pod writes nothing", async () => {
  const token = (await cluster().lab.kubectl(["-n", "bellhop-system", "create", "token", "bellhop-speaker"])).trim();
  const { status, body } = await askAs(token, "PATCH", `${own}/speakers/n1/status`, { status: { kernel: "6.0" } });
  assert.equal(status, 422, body);
  assert.match(body, /must name the node/);
});

describe("a user with the role view in one namespace", () => {
  const canI = async (...question: string[]): Promise<string> => {
    const args = ["auth", "can-i", ...question, "--as", "jane", "--as-group", "developers"];
    const { stdout } = await cluster().lab.exec("control", ["kubectl", ...args]);
    return stdout.trim();
  };

  before(async () => {
    const { lab } = cluster();
    await lab.kubectl(["-n", "security", "create", "rolebinding", "jane", "--clusterrole", "view", "--user", "jane"]);
  });

  test("sees Services, and Bellhop's kinds only after the documented binding", async () => {
    const { lab } = cluster();
    assert.equal(await canI("list", "services", "-n", "security"), "yes");
    assert.equal(await canI("list", "ipaddresspools.bellhop.dev"), "no");
    const binding = ["clusterrolebinding", "bellhop-view"];
    await lab.kubectl(["create", ...binding, "--clusterrole", "bellhop-view", "--group", "developers"]);
    try {
      for (const kind of ["ipaddresspools", "virtualips", "speakers", "speakeridentities", "l2advertisements"]) {
        assert.equal(await canI("list", `${kind}.bellhop.dev`), "yes", kind);
        for (const verb of ["create", "patch", "delete"]) assert.equal(await canI(verb, `${kind}.bellhop.dev`), "no");
      }
      assert.equal(await canI("list", "services", "--all-namespaces"), "no");
    } finally {
      await lab.kubectl(["delete", ...binding]);
    }
  });
});

test("the image has no shell and no program but Node, which is enough for the command line", async () => {
  const run = async (...command: readonly string[]) => {
    const argv = ["-n", "bellhop-system", "exec", "deploy/bellhop-controller", "--", ...command];
    return cluster()
      .lab.kubectl(argv)
      .catch((error: unknown) => String(error));
  };
  assert.match(await run("bellhop", "--version"), /^\d+\.\d+\.\d+\s*$/);
  for (const program of ["sh", "nft", "conntrack", "ls", "env"]) {
    assert.match(await run(program), /not found|no such file/i, program);
  }
});
