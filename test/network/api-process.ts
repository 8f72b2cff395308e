import { groupVersion } from "../../src/api/api.ts";
import { patchTypes } from "../../src/kube/client.ts";
import { FakeApiServer } from "../../src/kube/fake.ts";
import { ownPath } from "../../src/kube/path.ts";
import { serveFake } from "../unit/src/kube/serve-fake.ts";

/**
 * An API server in memory for a speaker of node n1: one Service without node ports, whose only pod is pod1, with one address of
 * each family that n1 owns. Prints its address; answers each line `GET path`, `POST path JSON` or `PATCH path JSON` (a merge patch) on
 * standard input with the object.
 */
const api = new FakeApiServer();
const post = (path: string, body: unknown) => api.request({ method: "POST", path, body });
const addresses = ["192.0.2.11", "2001:db8::11"].map((address) => ({ type: "InternalIP", address }));
await post("/api/v1/nodes", { metadata: { name: "n1" } });
await api.request({
  method: "PATCH",
  path: "/api/v1/nodes/n1/status",
  body: { status: { addresses } },
  contentType: patchTypes.merge,
});
await post("/api/v1/namespaces/default/services", {
  metadata: { name: "web", namespace: "default" },
  spec: {
    type: "LoadBalancer",
    ipFamilies: ["IPv4", "IPv6"],
    ports: [
      { name: "http", protocol: "TCP", port: 80 },
      { name: "dns", protocol: "UDP", port: 53 },
    ],
  },
});
for (const [addressType, address] of [
  ["IPv4", "10.244.1.2"],
  ["IPv6", "fd01::2"],
] as const) {
  await post("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
    metadata: {
      name: `web-${addressType.toLowerCase()}`,
      namespace: "default",
      labels: { "kubernetes.io/service-name": "web" },
    },
    addressType,
    ports: [
      { name: "http", protocol: "TCP", port: 8080 },
      { name: "dns", protocol: "UDP", port: 5353 },
    ],
    endpoints: [{ addresses: [address], nodeName: "n1", conditions: { ready: true } }],
  });
}
for (const [name, address] of [
  ["192.0.2.200", "192.0.2.200"],
  ["2001-db8--200", "2001:db8::200"],
] as const) {
  await post(ownPath("virtualips"), {
    apiVersion: groupVersion,
    kind: "VirtualIP",
    metadata: { name },
    spec: { address, services: [{ namespace: "default", name: "web" }], owners: ["n1"] },
  });
}
const served = await serveFake(api);
console.log(served.url);
for await (const chunk of process.stdin.setEncoding("utf8")) {
  for (const line of String(chunk).trim().split("\n")) {
    const [method = "", path = "", ...text] = line.split(" ");
    const body: unknown = text.length === 0 ? undefined : JSON.parse(text.join(" "));
    const contentType = patchTypes.merge;
    const response =
      method === "POST"
        ? await post(path, body)
        : await api.request(method === "PATCH" ? { method, path, body, contentType } : { method: "GET", path });
    console.log(JSON.stringify(response.body));
  }
}
