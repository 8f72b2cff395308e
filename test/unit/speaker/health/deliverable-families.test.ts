import assert from "node:assert/strict";
import { test } from "node:test";
import { deliverableFamilies } from "../../../../speaker/health/deliverable-families.ts";
import { link } from "../speaker-fixture.ts";

const both = ["IPv4", "IPv6"] as const;
const drops = { cannotServe: [{ family: "IPv4", reason: "ForwardingDisabled" }] } as const;

for (const { words, ready = both, links, lans = ["eth0", "eth1"], families } of [
  { words: "everything is in order", links: [link("eth0", "192.0.2.11/24")], families: ["IPv4", "IPv6"] },
  {
    words: "the rules of a family cannot be written",
    ready: ["IPv6"] as const,
    links: [link("eth0", "192.0.2.11/24")],
    families: ["IPv6"],
  },
  {
    words: "the only interface on a LAN of addresses drops the family",
    links: [link("eth0", "192.0.2.11/24", drops)],
    families: ["IPv6"],
  },
  {
    words: "another interface delivers it",
    links: [link("eth0", "192.0.2.11/24", drops), link("eth1", "198.51.100.11/24")],
    families: ["IPv4", "IPv6"],
  },
  {
    words: "the interface that drops it has no addresses of Services on its LAN",
    links: [link("eth0", "192.0.2.11/24", drops)],
    lans: [],
    families: ["IPv4", "IPv6"],
  },
]) {
  test(`a node delivers ${families.join(" and ")} where ${words}`, () =>
    assert.deepEqual(deliverableFamilies(ready, links, lans), families));
}
