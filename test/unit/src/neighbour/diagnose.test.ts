import assert from "node:assert/strict";
import { test } from "node:test";
import { speakerSchema } from "../../../../src/api/speaker.ts";
import { virtualIpSchema } from "../../../../src/api/virtual-ip.ts";
import { BellhopError } from "../../../../src/error/error.ts";
import { type DiagnosisInput, diagnoseNeighbour, type Finding } from "../../../../src/neighbour/diagnose.ts";
import { lookUpNeighbour, normalizeMac } from "../../../../src/neighbour/lookup.ts";

const [first, second, stranger] = ["02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:99"];

function speaker(name: string, mac: string) {
  return speakerSchema.parse({
    metadata: { name },
    status: { interfaces: [{ name: "eth0", mac, up: true, addresses: [] }] },
  });
}

const announced = virtualIpSchema.parse({
  metadata: { name: "192.0.2.7" },
  spec: { address: "192.0.2.7" },
  status: { node: "n1", mac: first },
});
const silent = virtualIpSchema.parse({ metadata: { name: "192.0.2.7" }, spec: { address: "192.0.2.7" } });

const cases: ReadonlyArray<readonly [Finding, boolean, Partial<DiagnosisInput>, RegExp]> = [
  [
    "AnnouncerAnswers",
    true,
    { virtualIp: announced, seenMac: first },
    /n1 .* announces 192\.0\.2\.7 and answers for it/,
  ],
  ["OtherNodeAnswers", false, { virtualIp: announced, seenMac: second }, /n2 .* but n1/],
  ["OtherDeviceAnswers", false, { virtualIp: announced, seenMac: stranger }, /another device uses the address/],
  ["NoAnswer", false, { virtualIp: announced }, /No device answers/],
  ["NotAnnounced", false, { virtualIp: silent }, /bellhop explain address 192\.0\.2\.7/],
  ["NotInUse", true, {}, /not assigned .* no device answers/],
  ["UsedByOtherDevice", false, { seenMac: stranger }, new RegExp(`${stranger} answers`)],
  ["HostIsAnnouncer", true, { virtualIp: announced, ownMacs: new Set([first]) }, /Run this command on another host/],
];

for (const [finding, good, input, says] of cases) {
  test(`${finding} is reported, and whether it is good`, () => {
    const diagnosis = diagnoseNeighbour({
      address: "192.0.2.7",
      virtualIp: undefined,
      speakers: [speaker("n1", first), speaker("n2", second)],
      seenMac: undefined,
      ownMacs: new Set(),
      ...input,
    });
    assert.equal(diagnosis.finding, finding);
    assert.equal(diagnosis.good, good);
    assert.match(diagnosis.message, says);
  });
}

test("faults of the nodes that announce the address or answer for it are reported, those of other nodes are not", () => {
  const faulty = (name: string, mac: string) => {
    const times = { lastTransitionTime: "2026-01-01T00:00:00Z" };
    const conditions = [
      { type: "Forwarding", status: "False", reason: "ForwardingDisabled", message: `${name} is closed.`, ...times },
      { type: "StrictArp", status: "True", reason: "Strict", message: "fine", ...times },
    ];
    return speakerSchema.parse({ ...speaker(name, mac), status: { ...speaker(name, mac).status, conditions } });
  };
  const speakers = [faulty("n1", first), faulty("n2", second), faulty("n3", "02:00:00:00:00:03")];
  const input = { address: "192.0.2.7", virtualIp: announced, speakers, seenMac: second, ownMacs: new Set<string>() };
  assert.deepEqual(diagnoseNeighbour(input).warnings, ["Node n1: n1 is closed.", "Node n2: n2 is closed."]);
  assert.deepEqual(diagnoseNeighbour({ ...input, virtualIp: undefined, seenMac: undefined }).warnings, []);
});

test("hardware addresses are brought into one form, and other texts are none", () => {
  assert.equal(normalizeMac("0:19:99:50:3A:3"), "00:19:99:50:3a:03");
  for (const text of ["(incomplete)", "", "no", "01:02:03:04:05", "01:02:03:04:05:zz"]) {
    assert.equal(normalizeMac(text), undefined);
  }
});

test("on a host without the programs the error names the one to install", async () => {
  await assert.rejects(lookUpNeighbour("192.0.2.7", "/nonexistent"), (error) => {
    return error instanceof BellhopError && error.code === "CommandFailed" && /iputils-ping/.test(error.message);
  });
});
