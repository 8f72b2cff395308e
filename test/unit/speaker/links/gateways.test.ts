import assert from "node:assert/strict";
import { test } from "node:test";
import { readGateways } from "../../../../speaker/links/gateways.ts";
import { hostNetwork, type RouteFixture } from "./host-network-fixture.ts";

const cases: readonly {
  readonly name: string;
  readonly routes: readonly RouteFixture[];
  readonly gateways: readonly string[];
}[] = [
  {
    name: "the routers of default routes, each once",
    routes: [
      { to: "default", by: "eth0", via: "192.0.2.1", metric: 100 },
      { to: "192.0.2.0/24", by: "eth0" },
      { to: "default", by: "eth1", via: "198.51.100.254", metric: 200 },
      { to: "default", by: "eth1", via: "192.0.2.1", metric: 300 },
      { to: "default", by: "eth0", via: "2001:db8::1" },
    ],
    gateways: ["192.0.2.1", "198.51.100.254", "2001:db8::1"],
  },
  {
    name: "not those of other routes, nor of half the Internet",
    routes: [
      { to: "10.0.0.0/8", by: "eth0", via: "192.0.2.1" },
      { to: "0.0.0.0/1", by: "eth0", via: "192.0.2.1" },
      { to: "2001:db8::/32", by: "eth0", via: "2001:db8::1" },
      { to: "::/1", by: "eth0", via: "2001:db8::1" },
    ],
    gateways: [],
  },
  {
    name: "not a default route without a router, nor a link-local router",
    routes: [
      { to: "default", by: "ppp0" },
      { to: "default", by: "eth0", via: "fe80::1" },
    ],
    gateways: [],
  },
];

for (const { name, routes, gateways } of cases) {
  test(`gateways: ${name}`, () => assert.deepEqual(readGateways(hostNetwork({ eth0: {} }, routes)), gateways));
}
