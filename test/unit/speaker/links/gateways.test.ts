import assert from "node:assert/strict";
import { test } from "node:test";
import { readGateways } from "../../../../speaker/links/gateways.ts";

const head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT";
const zeros = "0".repeat(32);
const router6 = "20010db8000000000000000000000001";
const route6 = (destination: string, length: string, router: string, flags = "00450003") =>
  `${destination} ${length} ${zeros} 00 ${router} 00000400 00000001 00000000 ${flags}     eth0`;

function read(ipv4: readonly string[], ipv6: readonly string[] = []): (path: string) => string {
  return (path) => (path.endsWith("ipv6_route") ? ipv6 : [head, ...ipv4]).join("\n");
}

const cases: readonly {
  readonly name: string;
  readonly ipv4?: readonly string[];
  readonly ipv6?: readonly string[];
  readonly gateways: readonly string[];
}[] = [
  {
    name: "the routers of default routes",
    ipv4: [
      "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0",
      "eth0\t000200C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0",
      "eth1\t00000000\tFE6433C6\t0003\t0\t0\t200\t00000000\t0\t0\t0",
    ],
    ipv6: [route6(zeros, "00", router6)],
    gateways: ["192.0.2.1", "198.51.100.254", "2001:db8::1"],
  },
  {
    name: "not those of other routes, nor of half the Internet",
    ipv4: [
      "eth0\t0000000A\t010200C0\t0003\t0\t0\t100\t000000FF\t0\t0\t0",
      "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000080\t0\t0\t0",
    ],
    ipv6: [route6("20010db8".padEnd(32, "0"), "20", router6), route6(zeros, "01", router6)],
    gateways: [],
  },
  {
    name: "not a default route without a router, a link-local router, or a route that is rejected or down",
    ipv4: [
      "ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0",
      "eth0\t00000000\t010200C0\t0002\t0\t0\t0\t00000000\t0\t0\t0",
    ],
    ipv6: [route6(zeros, "00", "fe80".padEnd(31, "0").concat("1")), route6(zeros, "00", zeros, "00200200")],
    gateways: [],
  },
  {
    name: "nothing in lines that cannot be read",
    ipv4: ["", "eth0", "garbage in the table"],
    ipv6: [""],
    gateways: [],
  },
];

for (const { name, ipv4 = [], ipv6 = [], gateways } of cases) {
  test(`gateways: ${name}`, () => assert.deepEqual(readGateways(read(ipv4, ipv6), true), gateways));
}

test("gateways: the byte order of the machine counts", () => {
  const line = "eth0\t00000000\tC0000201\t0003\t0\t0\t100\t00000000\t0\t0\t0";
  assert.deepEqual(readGateways(read([line]), false), ["192.0.2.1"]);
});

test("gateways: a kernel without a family has none of it", () => {
  const missing = () => {
    throw new Error("ENOENT");
  };
  assert.deepEqual(readGateways(missing), []);
});
