import assert from "node:assert/strict";
import { test } from "node:test";
import { renderClaim } from "../../../../src/cli/text/claim.ts";
import { createPalette } from "../../../../src/cli/text/palette.ts";

const part = {
  address: "192.0.2.10",
  pool: "lan",
  forwarding: undefined,
  node: undefined,
  virtualIp: "192.0.2.10",
  services: ["default/web"],
  owners: ["n1", "n2"],
  pinnedTo: undefined,
  announcedBy: "n1",
  interfaces: ["eth0"],
  mac: undefined,
  since: undefined,
  cause: undefined,
  conditions: [],
};

function linesOf(count: number): readonly string[] {
  const nodes = Array.from({ length: count }, (_, index) => {
    const node = `n${index + 1}`;
    const about = { node, eligible: false, departure: undefined };
    if (index === 4) return { ...about, code: "NoSpeaker" as const, reason: "no speaker runs there" };
    if (index % 2 === 1) return { ...about, eligible: true, code: undefined, reason: `eth0 192.0.2.${index}` };
    return { ...about, code: "OffSubnet" as const, reason: `${node} has no interface in the subnet` };
  });
  return renderClaim("IPv4", { ...part, nodes }, createPalette(false)).slice(2);
}

test("among few nodes each has a line", () => assert.equal(linesOf(10).length, 10));

test("among many, those that announce have lines of their own, and all others are counted by reason, rare ones first", () => {
  assert.deepEqual(linesOf(1_000), [
    "    ✗ n1 cannot announce it: n1 has no interface in the subnet",
    "    ✓ n2 may announce it: eth0 192.0.2.1",
    "    ✗ n5 cannot announce it: no speaker runs there",
    "    ✗ 498 nodes cannot announce it (such as n3, n7, n9); n3: n3 has no interface in the subnet",
    "    ✓ 499 nodes may announce it (such as n4, n6, n8); n4: eth0 192.0.2.3",
  ]);
});

const causes = [
  { cause: "PeerDead", expected: "announced by n1 from eth0 (the node that announced it before died); next n2" },
  { cause: "OfALaterVersion", expected: "announced by n1 from eth0 (OfALaterVersion); next n2" },
  { cause: undefined, expected: "announced by n1 from eth0; next n2" },
];
for (const { cause, expected } of causes) {
  test(`the announcer is shown with its cause ${cause}`, () => {
    assert.equal(renderClaim("IPv4", { ...part, cause, nodes: [] }, createPalette(false))[1]?.trim(), expected);
  });
}

test("a pin is shown, and how to remove it", () => {
  const [, , pin] = renderClaim("IPv4", { ...part, pinnedTo: "n2", nodes: [] }, createPalette(false));
  assert.equal(pin?.trim(), "pinned to n2 (bellhop move 192.0.2.10 --auto removes the pin)");
});
