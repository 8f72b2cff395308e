import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ownPath } from "../../../src/kube/path.ts";
import { countVisits } from "../visits.ts";
import { link, World } from "./world.ts";

const few = 10;
const many = 1_000;

function address(index: number): string {
  return `10.1.${index >> 8}.${index & 255}`;
}

/** How many entries of anything are looked at for the change, by a speaker that announces so many addresses. */
async function visitsAmong(addresses: number, change: (world: World) => Promise<void>): Promise<number> {
  const world = new World();
  world.links = [link("eth0", "192.0.2.11/24"), link("eth1", "10.1.255.1/16")];
  try {
    await world.populate("n1");
    for (let index = 0; index < addresses; index++) await world.claim(address(index), ["n1"], `s${index}`);
    await world.start();
    await world.clock.advance(30_000);
    assert.equal(world.responder.announced.length, addresses + 1);
    return await countVisits(async () => {
      await change(world);
      await world.settle();
    });
  } finally {
    await world.stop();
  }
}

const changes: readonly { readonly words: string; readonly change: (world: World) => Promise<void> }[] = [
  { words: "an address comes to this node", change: (world) => world.claim(address(60_000), ["n1"], "new") },
  { words: "an address comes to another node", change: (world) => world.claim(address(60_000), ["n2"], "new") },
  { words: "an address moves to another node", change: (world) => world.setOwners(address(1), ["n2", "n1"]) },
  {
    words: "an address goes",
    change: async (world) => {
      await world.api.request({ method: "DELETE", path: ownPath("virtualips", address(1)) });
    },
  },
  { words: "nothing happens for a while", change: (world) => world.clock.advance(20_000) },
];

describe(`one change costs a speaker as much among ${many} addresses as among ${few}`, () => {
  for (const { words, change } of changes) {
    test(words, async () => {
      const [little, much] = [await visitsAmong(few, change), await visitsAmong(many, change)];
      assert.ok(much < little + many / 2, `${little} entries were looked at among ${few}, ${much} among ${many}`);
    });
  }
});
