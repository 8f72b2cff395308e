import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { runScenario } from "./simulator/run-scenario.ts";
import type { Scenario } from "./simulator/scenario.ts";

/** What a schedule has unless it says something else: a gateway answers, no other device sends anything, and nothing is lost, late or slow. */
function scenario(nodes: number, given: Pick<Scenario, "seed" | "addresses"> & Partial<Scenario>): Scenario {
  return {
    nodes,
    hasGateway: true,
    otherDevices: "silent",
    noise: { loss: 0, duplicates: 0, delayMs: 1 },
    lagMs: Array.from({ length: nodes }, () => 0),
    armMs: Array.from({ length: nodes }, () => 0),
    steps: [],
    lasting: [],
    listsFollow: false,
    ...given,
  };
}

/** Schedules in which something was wrong, as small as they were found. Nodes by their index: 0 is n1. */
const rows: readonly { readonly name: string; readonly scenario: Scenario }[] = [
  {
    name: "a node that was told of a claim because it had one, too, learns when that one ends",
    scenario: scenario(3, {
      seed: 3058075,
      addresses: [{ address: "192.0.2.1", owners: [1, 0] }],
      lagMs: [16, 4, 65],
      steps: [
        { atMs: 988, forMs: 382, kind: "unarm", node: 1, address: "192.0.2.1" },
        { atMs: 1309, forMs: 825, kind: "recreate", address: "192.0.2.1", owners: [2, 1], sameSecond: false },
        { atMs: 1736, forMs: 387, kind: "owners", address: "192.0.2.1", owners: [1, 0, 2] },
        { atMs: 2148, forMs: 173, kind: "recreate", address: "192.0.2.1", owners: [0], sameSecond: true },
      ],
    }),
  },
  {
    name: "a late packet of a process that has ended does not make the next one unheard for good",
    scenario: scenario(3, {
      seed: 3033334,
      noise: { loss: 0.01997242122888565, duplicates: 0.01557721954304725, delayMs: 7 },
      addresses: [{ address: "192.0.2.1", owners: [2, 0] }],
      lagMs: [136, 71, 136],
      steps: [
        { atMs: 823, forMs: 230, kind: "crash", node: 2, power: true },
        { atMs: 984, forMs: 66, kind: "leave", node: 0, intent: "restart" },
        { atMs: 1042, forMs: 26, kind: "stall", node: 0 },
      ],
    }),
  },
  {
    name: "a node is not cut off because one does not hear it that it sent no heartbeats",
    scenario: scenario(5, {
      seed: 102999,
      otherDevices: "rare",
      addresses: [{ address: "192.0.2.1", owners: [1, 2] }],
      steps: [{ atMs: 1728, forMs: 259, kind: "recreate", address: "192.0.2.1", owners: [3], sameSecond: false }],
      lasting: [
        { atMs: 2490, kind: "power", node: 3 },
        { atMs: 2490, kind: "partition", nodes: [0, 4, 3, 2] },
        { atMs: 2490, kind: "gateway" },
      ],
      listsFollow: true,
    }),
  },
  {
    name: "a node that was heard once, long ago, does not contradict that nothing arrives at it",
    scenario: scenario(5, {
      seed: 104,
      addresses: [{ address: "192.0.2.1", owners: [2, 4, 1] }],
      lasting: [
        { atMs: 2616, kind: "cable", node: 2, receives: false, sends: true },
        { atMs: 1505, kind: "cable", node: 3, receives: false, sends: true },
      ],
    }),
  },
  {
    name: "an owner that was told of a death before it knew of the address takes it over later",
    scenario: scenario(4, {
      seed: 119,
      addresses: [{ address: "192.0.2.1", owners: [3, 0, 2] }],
      lagMs: [109, 130, 125, 98],
      steps: [{ atMs: 1397, forMs: 269, kind: "leave", node: 2, intent: "leave" }],
      lasting: [
        { atMs: 2376, kind: "power", node: 3 },
        { atMs: 956, kind: "power", node: 0 },
      ],
    }),
  },
  {
    name: "what a node said while none heard it is said again, and contradicted",
    scenario: scenario(4, {
      seed: 187,
      addresses: [{ address: "192.0.2.1", owners: [2, 1, 0] }],
      steps: [{ atMs: 1651, forMs: 619, kind: "cable", node: 3, receives: true, sends: false }],
      lasting: [{ atMs: 975, kind: "block", from: 0, to: 3, both: false }],
    }),
  },
  {
    name: "what a node says after its cable was out is contradicted",
    scenario: scenario(3, {
      seed: 2333,
      addresses: [{ address: "192.0.2.1", owners: [0, 2] }],
      steps: [
        { atMs: 864, forMs: 863, kind: "freeze", node: 2 },
        { atMs: 1638, forMs: 528, kind: "partition", nodes: [1] },
        { atMs: 2232, forMs: 371, kind: "cable", node: 1, receives: false, sends: false },
      ],
      lasting: [{ atMs: 2501, kind: "block", from: 1, to: 2, both: true }],
    }),
  },
  {
    name: "one that tells of a death that is over learns that it is",
    scenario: scenario(3, {
      seed: 1037,
      addresses: [
        { address: "192.0.2.1", owners: [0, 2] },
        { address: "2001:db8::1", owners: [1, 2, 0] },
      ],
      steps: [
        { atMs: 1387, forMs: 573, kind: "owners", address: "192.0.2.1", owners: [0] },
        { atMs: 1825, forMs: 474, kind: "freeze", node: 1 },
        { atMs: 2277, forMs: 843, kind: "partition", nodes: [0] },
      ],
      lasting: [{ atMs: 1967, kind: "block", from: 2, to: 0, both: false }],
    }),
  },
  {
    name: "an owner of a new list that was silent before is found dead soon",
    scenario: scenario(4, {
      seed: 2982,
      hasGateway: false,
      noise: { loss: 0.02627301999600604, duplicates: 0, delayMs: 1 },
      addresses: [{ address: "192.0.2.3", owners: [3] }],
      steps: [{ atMs: 2224, forMs: 253, kind: "owners", address: "192.0.2.3", owners: [3, 2, 0] }],
      lasting: [{ atMs: 1113, kind: "partition", nodes: [1, 0] }],
    }),
  },
  {
    name: "the kernel of a third node shows that this one is heard, and the one that did not hear it is dead",
    scenario: scenario(3, {
      seed: 1389,
      addresses: [{ address: "2001:db8::1", owners: [1, 0] }],
      lasting: [
        { atMs: 2678, kind: "speaker", node: 2 },
        { atMs: 2933, kind: "power", node: 0 },
        { atMs: 1521, kind: "block", from: 1, to: 0, both: false },
        { atMs: 1637, kind: "gateway" },
      ],
    }),
  },
  {
    name: "what a third node says about a claim is newer than what its holder said before it was silent",
    scenario: scenario(3, {
      seed: 1824,
      hasGateway: false,
      addresses: [{ address: "192.0.2.1", owners: [0, 1, 2] }],
      steps: [
        { atMs: 825, forMs: 471, kind: "crash", node: 0, power: true },
        { atMs: 981, forMs: 668, kind: "partition", nodes: [0, 2] },
      ],
      lasting: [{ atMs: 832, kind: "block", from: 0, to: 1, both: true }],
    }),
  },
  {
    name: "what a third node says about a claim counts where the holder is heard, and does not tell it",
    scenario: scenario(3, {
      seed: 3610,
      addresses: [{ address: "192.0.2.1", owners: [1, 0, 2] }],
      steps: [{ atMs: 1949, forMs: 772, kind: "partition", nodes: [1] }],
      lasting: [{ atMs: 985, kind: "block", from: 0, to: 1, both: false }],
    }),
  },
  {
    name: "an owner that does not hear the announcer takes over when others say that nothing arrives there",
    scenario: scenario(3, {
      seed: 2844,
      addresses: [{ address: "2001:db8::1", owners: [1, 2] }],
      lasting: [
        { atMs: 1845, kind: "cable", node: 1, receives: false, sends: true },
        { atMs: 1845, kind: "block", from: 2, to: 1, both: true },
      ],
    }),
  },
  {
    name: "a node that is cut off stays so, although one of those that it no longer hears did not hear it",
    scenario: scenario(5, {
      seed: 6870,
      hasGateway: false,
      addresses: [{ address: "2001:db8::1", owners: [2, 3, 4] }],
      lasting: [
        { atMs: 1513, kind: "partition", nodes: [1, 0, 2, 3] },
        { atMs: 3067, kind: "cable", node: 2, receives: false, sends: true },
        { atMs: 2521, kind: "cable", node: 3, receives: false, sends: true },
      ],
    }),
  },
  {
    name: "an owner whose thread did not run when the list changed takes the address as soon as it answers again",
    scenario: scenario(3, {
      seed: 18732,
      hasGateway: false,
      addresses: [{ address: "2001:db8::1", owners: [0, 1, 2] }],
      steps: [
        { atMs: 1764, forMs: 871, kind: "freeze", node: 1 },
        { atMs: 2124, forMs: 864, kind: "owners", address: "2001:db8::1", owners: [1] },
      ],
      lasting: [{ atMs: 2510, kind: "block", from: 0, to: 1, both: true }],
    }),
  },
  {
    name: "an announcer that only a third node has told of dies",
    scenario: scenario(3, {
      seed: 22407,
      hasGateway: false,
      addresses: [{ address: "192.0.2.1", owners: [1, 0] }],
      steps: [
        { atMs: 941, forMs: 835, kind: "owners", address: "192.0.2.1", owners: [2, 1, 0] },
        { atMs: 1120, forMs: 649, kind: "freeze", node: 2 },
        { atMs: 2087, forMs: 841, kind: "partition", nodes: [2] },
      ],
      lasting: [
        { atMs: 1753, kind: "power", node: 1 },
        { atMs: 2892, kind: "programs", node: 0 },
      ],
    }),
  },
  {
    name: "two nodes that do not hear a third one do not count it as dead in turns, because another one hears it",
    scenario: scenario(4, {
      seed: 773,
      hasGateway: false,
      noise: { loss: 0.13791932190069928, duplicates: 0.07857035219203681, delayMs: 26 },
      addresses: [
        { address: "192.0.2.1", owners: [0, 3, 1] },
        { address: "2001:db8::1", owners: [0, 2, 1] },
      ],
      lagMs: [6, 135, 142, 38],
      armMs: [141, 69, 121, 7],
      steps: [
        { atMs: 1248, forMs: 644, kind: "partition", nodes: [3] },
        { atMs: 1769, forMs: 827, kind: "unarm", node: 2, address: "2001:db8::1" },
        { atMs: 1984, forMs: 610, kind: "partition", nodes: [3, 0] },
      ],
      lasting: [
        { atMs: 1622, kind: "block", from: 3, to: 2, both: true },
        { atMs: 1622, kind: "block", from: 1, to: 3, both: true },
      ],
    }),
  },
  {
    name: "an announcer that counts a better one as dead withdraws, although the word that it lives was lost",
    scenario: scenario(3, {
      seed: 52,
      otherDevices: "rare",
      noise: { loss: 0.1170749282813631, duplicates: 0, delayMs: 1 },
      addresses: [{ address: "192.0.2.3", owners: [0, 2, 1] }],
      lagMs: [44, 10, 80],
      steps: [
        { atMs: 916, forMs: 320, kind: "gateway" },
        { atMs: 1365, forMs: 615, kind: "stall", node: 2 },
        { atMs: 1802, forMs: 881, kind: "block", from: 1, to: 0, both: true },
      ],
      lasting: [{ atMs: 1879, kind: "block", from: 2, to: 1, both: true }],
    }),
  },
  {
    name: "an announcer withdraws for a better one that had left and that it does not hear since",
    scenario: scenario(3, {
      seed: 1,
      addresses: [{ address: "192.0.2.1", owners: [0, 2, 1] }],
      steps: [
        { atMs: 900, forMs: 100, kind: "leave", node: 2, intent: "leave" },
        { atMs: 1000, forMs: 2199, kind: "block", from: 1, to: 0, both: true },
      ],
      lasting: [{ atMs: 965, kind: "block", from: 2, to: 1, both: true }],
    }),
  },
  {
    name: "what a node says while another one counts it as dead is said again, and contradicted",
    scenario: scenario(3, {
      seed: 79038,
      addresses: [{ address: "192.0.2.1", owners: [2] }],
      steps: [
        { atMs: 1833, forMs: 423, kind: "stall", node: 0 },
        { atMs: 1936, forMs: 461, kind: "block", from: 1, to: 0, both: false },
        { atMs: 1985, forMs: 456, kind: "partition", nodes: [2] },
      ],
      lasting: [{ atMs: 1635, kind: "block", from: 1, to: 2, both: false }],
    }),
  },
  {
    name: "an owner believes the death of a former owner of which it expects nothing",
    scenario: scenario(4, {
      seed: 95215,
      addresses: [{ address: "192.0.2.1", owners: [0, 1, 2] }],
      steps: [{ atMs: 2164, forMs: 663, kind: "recreate", address: "192.0.2.1", owners: [2, 1], sameSecond: true }],
      lasting: [
        { atMs: 2039, kind: "speaker", node: 1 },
        { atMs: 2039, kind: "power", node: 0 },
      ],
    }),
  },
  {
    name: "the first owner takes the address of a holder that has lost its power for a moment, and that it does not hear",
    scenario: scenario(3, {
      seed: 3010746,
      hasGateway: false,
      otherDevices: "chatty",
      addresses: [{ address: "2001:db8::1", owners: [0, 2] }],
      steps: [
        { atMs: 1230, forMs: 724, kind: "partition", nodes: [0, 1] },
        { atMs: 1774, forMs: 804, kind: "clock", node: 1, byMs: 4010 },
        { atMs: 2089, forMs: 131, kind: "crash", node: 2, power: true },
      ],
      lasting: [{ atMs: 2182, kind: "block", from: 2, to: 0, both: false }],
    }),
  },
  {
    name: "the first owner takes the address of a holder that left and came back without being heard",
    scenario: scenario(3, {
      seed: 3022849,
      addresses: [{ address: "192.0.2.1", owners: [0, 1] }],
      steps: [
        { atMs: 1005, forMs: 420, kind: "stall", node: 1 },
        { atMs: 1176, forMs: 888, kind: "cable", node: 2, receives: false, sends: true },
        { atMs: 1544, forMs: 620, kind: "unarm", node: 0, address: "192.0.2.1" },
        { atMs: 2081, forMs: 170, kind: "leave", node: 1, intent: "leave" },
      ],
      lasting: [{ atMs: 1571, kind: "block", from: 0, to: 1, both: true }],
    }),
  },
  {
    name: "the first owner takes the address of a holder that was cut off for a moment, and that it does not hear",
    scenario: scenario(3, {
      seed: 3027667,
      hasGateway: false,
      noise: { loss: 0.1150738437543623, duplicates: 0.09745262397918851, delayMs: 29 },
      addresses: [{ address: "2001:db8::1", owners: [2, 0] }],
      lagMs: [78, 27, 1],
      armMs: [108, 157, 56],
      steps: [
        { atMs: 1029, forMs: 809, kind: "partition", nodes: [2] },
        { atMs: 1748, forMs: 719, kind: "health", node: 1, ipv4: true, ipv6: false },
      ],
      lasting: [{ atMs: 2359, kind: "block", from: 2, to: 0, both: true }],
    }),
  },
];

describe("each address has its announcers, and then nothing changes, in schedules that random search has found", () => {
  for (const { name, scenario } of rows) test(name, () => assert.equal(runScenario(scenario), undefined));
});
