import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { waitFor } from "../lab/wait.ts";
import { Api } from "./api.ts";
import { useCluster } from "./cluster.ts";
import { assertAnswers, waitForAnswer } from "./forwarding.ts";
import { addressReady, expectCondition, expectWarnings } from "./service-state.ts";
import { createService, startWeb } from "./workload.ts";

const pool = "sharing";
const address = "172.30.0.150";
const other = "172.30.0.151";
const addressIPv6 = "fd30::350";

interface Port {
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
}

function sharingService(ports: readonly Port[], key = "front", spec: Record<string, unknown> = {}) {
  return {
    metadata: { annotations: { "bellhop.dev/pool": pool, ...(key === "" ? {} : { "bellhop.dev/share": key }) } },
    spec: {
      ports: ports.map(({ protocol, port }) => ({
        name: `${protocol.toLowerCase()}-${port}`,
        protocol,
        port,
        targetPort: 8080,
      })),
      ...spec,
    },
  };
}

describe("several Services on one address", () => {
  const cluster = useCluster("nftables", "sharing");
  let neighbour: Api | undefined;

  before(async () => {
    const { api, lab } = cluster();
    await startWeb(api);
    await api.apply(poolManifest(false));
    neighbour = new Api(lab, "sharing-neighbour");
    await neighbour.createNamespace();
  });

  after(async () => {
    await neighbour?.deleteNamespace();
    const { api } = cluster();
    for (const { metadata } of await api.list("v1", "Service")) await api.delete("v1", "Service", metadata.name);
    await waitFor({ what: "the addresses to be let go", timeoutMs: 15_000 }, async () =>
      (await holders(api, address)).length === 0 ? true : undefined,
    );
    await api.delete("bellhop.dev/v1beta1", "IPAddressPool", pool);
  });

  async function put(name: string, { metadata, spec }: ReturnType<typeof sharingService>, where?: Api): Promise<void> {
    await createService(where ?? cluster().api, name, spec, "web", metadata);
  }

  async function answers(protocol: "tcp" | "udp", host: string, port: number): Promise<void> {
    const question = protocol === "tcp" ? "/hostname" : "hostname";
    if (protocol === "tcp") await waitForAnswer(cluster().api, host, 15_000, port);
    for (const client of ["client", "remote"]) {
      await assertAnswers(cluster().api, client, { protocol, host, port, question });
    }
  }

  test("TCP 80 and TCP 81, TCP 53 and UDP 53: four Services, one address of each family, all answer", async () => {
    const { api } = cluster();
    await put("web", sharingService([{ protocol: "TCP", port: 80 }]));
    assert.deepEqual(await api.waitForAddresses("web"), [address, addressIPv6]);
    await put("api", sharingService([{ protocol: "TCP", port: 81 }]));
    await put("dns-tcp", sharingService([{ protocol: "TCP", port: 53 }]));
    await put(
      "dns-udp",
      sharingService([{ protocol: "UDP", port: 53 }], "front", { allocateLoadBalancerNodePorts: false }),
    );
    for (const name of ["api", "dns-tcp", "dns-udp"]) {
      assert.deepEqual(await api.waitForAddresses(name), [address, addressIPv6]);
    }
    for (const text of [address, "fd30--350"]) {
      assert.deepEqual(await holders(api, text), ["sharing/api", "sharing/dns-tcp", "sharing/dns-udp", "sharing/web"]);
    }
    for (const host of [address, addressIPv6]) {
      await answers("tcp", host, 80);
      await answers("tcp", host, 81);
      await answers("tcp", host, 53);
      await answers("udp", host, 53);
    }
  });

  test("one that goes takes nothing from the others", async () => {
    const { api } = cluster();
    await api.delete("v1", "Service", "api");
    await waitFor({ what: "Service api to go", timeoutMs: 10_000 }, async () =>
      (await api.find("v1", "Service", "api")) === undefined ? true : undefined,
    );
    assert.deepEqual(await holders(api, address), ["sharing/dns-tcp", "sharing/dns-udp", "sharing/web"]);
    for (const host of [address, addressIPv6]) {
      await answers("tcp", host, 80);
      await answers("udp", host, 53);
    }
  });

  const refusals = [
    {
      name: "no-key",
      service: () => sharingService([{ protocol: "TCP", port: 90 }], ""),
      code: "RequestedAddressTaken",
      says: /sharing\/web/,
    },
    {
      name: "other-key",
      service: () => sharingService([{ protocol: "TCP", port: 90 }], "back"),
      code: "SharingKeyDiffers",
      says: /belongs to Service sharing\/web/,
    },
    {
      name: "same-port",
      service: () => sharingService([{ protocol: "TCP", port: 80 }]),
      code: "SharingPortTaken",
      says: /sharing\/web uses 80\/TCP/,
    },
    {
      name: "other-policy",
      service: () => sharingService([{ protocol: "TCP", port: 90 }], "front", { externalTrafficPolicy: "Local" }),
      code: "SharingPolicyDiffers",
      says: /sharing\/web has externalTrafficPolicy Cluster/,
    },
  ];
  for (const { name, service, code, says } of refusals) {
    test(`a request for the address with ${name} is refused as ${code}, by event and condition`, async () => {
      const { api } = cluster();
      const wanted = service();
      const single = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"], loadBalancerIP: address };
      await put(name, { ...wanted, spec: { ...wanted.spec, ...single } });
      const condition = await expectCondition(api, name, "False", code);
      assert.match(condition.message, says);
      const warnings = await expectWarnings(api, name);
      assert.deepEqual(
        warnings.map(({ reason }) => reason),
        [code],
      );
      assert.deepEqual((await api.get("v1", "Service", name)).status.loadBalancer.ingress ?? [], []);
      await api.delete("v1", "Service", name);
    });
  }

  test("across namespaces only once the pool allows it", async () => {
    const { api } = cluster();
    const there = neighbour as Api;
    const single = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"], loadBalancerIP: address };
    await put("guest", sharingService([{ protocol: "TCP", port: 8443 }], "front", single), there);
    const condition = await expectCondition(there, "guest", "False", "SharingForbiddenAcrossNamespaces");
    assert.match(condition.message, /spec\.sharing\.acrossNamespaces/);
    await api.apply(poolManifest(true));
    assert.deepEqual(await there.waitForAddresses("guest"), [address]);
    assert.ok((await holders(api, address)).includes("sharing-neighbour/guest"));
    await api.apply(poolManifest(false));
    await createService(api, "bystander", { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] });
    await api.waitForAddresses("bystander");
    assert.deepEqual(await there.waitForAddresses("guest"), [address], "who is there stays");
    await there.delete("v1", "Service", "guest");
    await waitFor({ what: "the guest to leave", timeoutMs: 10_000 }, async () =>
      (await holders(api, address)).includes("sharing-neighbour/guest") ? undefined : true,
    );
  });

  test("who changes gives way: one event tells the move and its cause, the others stay reachable", async () => {
    const { api } = cluster();
    const single = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"] };
    await put("mover", sharingService([{ protocol: "TCP", port: 91 }], "front", single));
    assert.deepEqual(await api.waitForAddresses("mover"), [address]);
    await put(
      "mover",
      sharingService(
        [
          { protocol: "TCP", port: 91 },
          { protocol: "TCP", port: 80 },
        ],
        "front",
        single,
      ),
    );
    await waitFor({ what: "the move", timeoutMs: 10_000 }, async () =>
      (await api.waitForAddresses("mover"))[0] === other ? true : undefined,
    );
    const moves = await waitFor({ what: "the event", timeoutMs: 10_000 }, async () => {
      const found = (await api.events("Service", "mover")).filter(({ reason }) => reason === "UpdatedLoadBalancer");
      return found.length > 0 ? found : undefined;
    });
    assert.deepEqual(
      moves.map(({ note }) => note),
      [`Updated load balancer [${address}] -> [${other}]. Service sharing/web uses 80/TCP on ${address}.`],
    );
    await answers("tcp", other, 91);
    await answers("tcp", other, 80);
    await answers("tcp", address, 80);
    assert.equal((await addressReady(api, "web"))?.status, "True");
  });
});

function poolManifest(acrossNamespaces: boolean) {
  return {
    apiVersion: "bellhop.dev/v1beta1",
    kind: "IPAddressPool",
    metadata: { name: pool },
    spec: {
      addresses: ["172.30.0.150-172.30.0.153", "fd30::350-fd30::353"],
      autoAssign: false,
      sharing: { acrossNamespaces },
    },
  };
}

async function holders(api: Api, virtualIp: string): Promise<readonly string[]> {
  const found = await api.find("bellhop.dev/v1beta1", "VirtualIP", virtualIp);
  const services: { namespace: string; name: string }[] = found?.spec.services ?? [];
  return services.map(({ namespace, name }) => `${namespace}/${name}`).sort();
}
