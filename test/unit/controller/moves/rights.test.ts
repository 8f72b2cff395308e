import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { beforeEach, describe, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { drainNode, undrainNode } from "../../../../controller/moves/drain-node.ts";
import { moveAddress, showAddress, unpinAddress } from "../../../../controller/moves/move-address.ts";
import { parseAddress } from "../../../../src/ip/address.ts";
import type { ApiClient } from "../../../../src/kube/client.ts";
import { useCluster } from "../fake-cluster/use-cluster.ts";
import { accessTo, addLeader, announceAll, whileServed } from "./served-cluster.ts";

interface Role {
  readonly metadata: { readonly name: string };
  readonly rules?: readonly { readonly resources: readonly string[]; readonly verbs: readonly string[] }[];
}

/** `verb resource` of all rules of these roles in a file of deploy/base. */
function rightsOf(file: string, names: readonly string[]): ReadonlySet<string> {
  const text = readFileSync(new URL(`../../../../deploy/base/${file}`, import.meta.url), "utf8");
  const roles = parseAllDocuments(text).map((document) => document.toJS() as Role);
  const rules = roles.filter(({ metadata }) => names.includes(metadata.name)).flatMap((role) => role.rules ?? []);
  return new Set(
    rules.flatMap(({ resources, verbs }) => resources.flatMap((one) => verbs.map((verb) => `${verb} ${one}`))),
  );
}

const verbs: Readonly<Record<string, string>> = {
  GET: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** The client, with what it is used for. */
function recording({ request, list, watch }: ApiClient, used: Set<string>): ApiClient {
  // After the version of the API, and the namespace.
  const resourceOf = (path: string): string => /\/v\w+\/(?:namespaces\/[^/]+\/)?(\w+)/.exec(path)?.[1] ?? path;
  return {
    request: (sent) => {
      used.add(`${verbs[sent.method]} ${resourceOf(sent.path)}`);
      return request(sent);
    },
    list: (sent, take) => {
      used.add(`list ${resourceOf(sent.path)}`);
      return list(sent, take);
    },
    watch,
  };
}

describe("what bellhop move and bellhop drain need", () => {
  const cluster = useCluster();
  const used = new Set<string>();

  beforeEach(async () => {
    await cluster.addPool("lan", ["192.0.2.10-192.0.2.20"]);
    await cluster.addNode("n2");
    await addLeader(cluster);
    await cluster.start();
    await cluster.addService("web");
    await cluster.expectCondition("web", "True AddressAssigned");
    await announceAll(cluster);
    const { server } = cluster;
    const plain: ApiClient = {
      request: (sent) => server.request(sent),
      list: (sent, take) => server.list(sent, take),
      watch: (sent, options) => server.watch(sent, options),
    };
    const access = { ...accessTo(cluster), client: recording(plain, used), timeoutMs: 10_000 };
    const address = parseAddress("192.0.2.10") ?? assert.fail();
    await whileServed(cluster, moveAddress({ ...access, address }, "n2"));
    await showAddress({ ...access, address });
    await unpinAddress({ ...access, address });
    await whileServed(cluster, drainNode({ ...access, node: "n2", onProgress: () => {} }));
    await undrainNode({ ...access, node: "n2" });
    assert.ok(used.has("patch virtualips") && used.has("patch speakers") && used.has("list leases"));
  });

  test("is what the roles bellhop-explain and bellhop-operate grant, and bellhop-operate grants nothing else", () => {
    const granted = rightsOf("rbac-users.yaml", ["bellhop-explain", "bellhop-operate"]);
    assert.deepEqual(
      [...used].filter((right) => !granted.has(right)),
      [],
    );
    assert.deepEqual(
      [...rightsOf("rbac-users.yaml", ["bellhop-operate"])].filter((right) => !used.has(right)),
      [],
    );
  });

  test("the controller has, too, so that both run in its pod", () => {
    const granted = rightsOf("rbac-controller.yaml", ["bellhop-controller"]);
    assert.deepEqual(
      [...used].filter((right) => !granted.has(right)),
      [],
    );
  });
});
