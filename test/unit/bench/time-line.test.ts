import assert from "node:assert/strict";
import { test } from "node:test";
import { type Seen, type Stage, stages, timeLineOf } from "../../bench/first-answer/time-line.ts";

const address = "172.30.0.200";
const trial = { service: "web", address, startMs: 1_000, createdMs: 1_020, answeredMs: 1_200 };
const [announcer, other] = ["02:00:00:00:00:01", "02:00:00:00:00:02"] as const;

const service = (atMs: number, ingress: readonly string[] = [], name = "web") => ({
  atMs,
  type: "MODIFIED",
  object: { metadata: { name }, status: { loadBalancer: { ingress: ingress.map((ip) => ({ ip })) } } },
});
const arp = (atMs: number, mac: string, sender: string) => ({
  atMs,
  operation: "request" as const,
  mac,
  sender,
  target: address,
});
const slice = (atMs: number, ready: boolean) => ({
  atMs,
  type: "ADDED",
  object: { metadata: { labels: { "kubernetes.io/service-name": "web" } }, endpoints: [{ conditions: { ready } }] },
});

/** The Service before had the same address, and the other node probes it, too. */
const seen: Seen = {
  services: [service(900, [address]), service(1_005, [], "other"), service(1_010), service(1_080, [address])],
  virtualIps: [{ atMs: 1_040, type: "ADDED", object: { spec: { address } } }],
  slices: [slice(1_030, false), slice(1_050, true)],
  arp: [
    arp(950, announcer, address),
    arp(1_045, other, "0.0.0.0"),
    arp(1_046, announcer, "0.0.0.0"),
    arp(1_066, announcer, "0.0.0.0"),
    arp(1_090, "02:00:00:00:00:99", "172.30.0.100"),
    arp(1_110, announcer, address),
    arp(1_160, announcer, address),
  ],
  rules: [
    { atMs: 1_052, node: "n2", address },
    { atMs: 1_054, node: "n1", address },
  ],
  nodeOfMac: (mac) => (mac === announcer ? "n1" : "n2"),
};

test("each stage is the first one that is seen between the request and the answer, on the node that announces", () => {
  const expected: Readonly<Record<Stage, number>> = {
    "API server has answered the request that creates the Service": 20,
    "watchers see the Service": 10,
    "watchers see the VirtualIP": 40,
    "first probe of the announcing node on the LAN": 46,
    "last probe of the announcing node": 66,
    "watchers see the address in the Service": 80,
    "watchers see the endpoints": 50,
    "kernel of the announcing node has the rules": 54,
    "first announcement on the LAN": 110,
    "first good answer": 200,
  };
  assert.deepEqual(timeLineOf(trial, seen), expected);
  assert.deepEqual(Object.keys(expected), [...stages]);
});

test("a stage that was not seen is left out", () => {
  const none = { ...seen, services: [], virtualIps: [], slices: [], arp: [], rules: [] };
  assert.deepEqual(Object.keys(timeLineOf(trial, none)), [
    "API server has answered the request that creates the Service",
    "first good answer",
  ]);
});
