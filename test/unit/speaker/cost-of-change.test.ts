import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ownPath } from "../../../src/kube/path.ts";
import { countVisits } from "../count-visits.ts";
import { link, SpeakerFixture } from "./speaker-fixture.ts";

const few = 10;
const many = 1_000;

function address(index: number): string {
  return `10.1.${index >> 8}.${index & 255}`;
}

/** How many entries of anything are looked at for the change, by a speaker that announces so many addresses. */
async function visitsAmong(addresses: number, change: (fixture: SpeakerFixture) => Promise<void>): Promise<number> {
  const fixture = new SpeakerFixture();
  fixture.links = [link("eth0", "192.0.2.11/24"), link("eth1", "10.1.255.1/16")];
  try {
    await fixture.populate("n1");
    for (let index = 0; index < addresses; index++) await fixture.serve(address(index), ["n1"], `s${index}`);
    await fixture.start();
    await fixture.clock.advance(30_000);
    // The announcements that are due by now are not part of the change.
    fixture.responder.turn();
    assert.equal(fixture.responder.announced.length, addresses + 1);
    return await countVisits(async () => {
      await change(fixture);
      await fixture.settle();
    });
  } finally {
    await fixture.stop();
  }
}

const changes: readonly { readonly words: string; readonly change: (fixture: SpeakerFixture) => Promise<void> }[] = [
  { words: "an address comes to this node", change: (fixture) => fixture.serve(address(60_000), ["n1"], "new") },
  { words: "an address comes to another node", change: (fixture) => fixture.serve(address(60_000), ["n2"], "new") },
  { words: "an address moves to another node", change: (fixture) => fixture.setOwners(address(1), ["n2", "n1"]) },
  {
    words: "an address goes",
    change: async (fixture) => {
      await fixture.api.request({ method: "DELETE", path: ownPath("virtualips", address(1)) });
    },
  },
  { words: "nothing happens for a while", change: (fixture) => fixture.clock.advance(20_000) },
];

describe(`one change costs a speaker as much among ${many} addresses as among ${few}`, () => {
  for (const { words, change } of changes) {
    test(words, async () => {
      const [little, much] = [await visitsAmong(few, change), await visitsAmong(many, change)];
      assert.ok(much < little + many / 2, `${little} entries were looked at among ${few}, ${much} among ${many}`);
    });
  }
});
