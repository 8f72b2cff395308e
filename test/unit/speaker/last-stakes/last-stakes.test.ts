import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { formatLastStakes, type LastStakes, parseLastStakes } from "../../../../speaker/last-stakes/last-stakes.ts";
import { removeStakeFile, stakeFileIn, stakeFileName } from "../../../../speaker/last-stakes/stake-file.ts";
import { StakeKeeper } from "../../../../speaker/last-stakes/stake-keeper.ts";
import { FakeClock, settle } from "../../../../src/clock/fake.ts";
import { silentLogger } from "../../../../src/log/log.ts";

const last: LastStakes = {
  node: "n1",
  stakes: [
    {
      name: "192.0.2.200",
      address: "192.0.2.200",
      owners: ["n1", "n2"],
      term: 3,
      createdSeconds: 1_700_000_000,
      interfaces: ["eth0"],
      previous: ["n3"],
    },
  ],
  former: [{ address: "192.0.2.201", previous: ["n3", "n4"] }],
  peers: [{ node: "n2", addresses: ["192.0.2.12"], port: 7482, macs: ["02:00:00:00:00:02"], kubeletPort: 10250 }],
  cluster: "1d0c1f3e-8a52-4f0e-9d5e-6c7f0f6f0f11",
  keys: [Uint8Array.from({ length: 32 }, (_, index) => index)],
};

test("what was kept is what is read", () => {
  assert.deepEqual(parseLastStakes(formatLastStakes(last), "n1"), last);
  const claims = new Map([["192.0.2.200", { createdSeconds: 1_700_000_000, term: 3, epoch: 7, rank: 1 }]]);
  const ended = { ...last, restart: { atMs: 1_700_000_000_123, claims } };
  assert.deepEqual(parseLastStakes(formatLastStakes(ended), "n1"), ended);
});

test("a file of a speaker that did not keep former addresses is read", () => {
  const { former: _, ...earlier } = JSON.parse(formatLastStakes(last));
  assert.deepEqual(parseLastStakes(JSON.stringify(earlier), "n1"), { ...last, former: [] });
});

const text = formatLastStakes(last);
for (const [words, broken] of [
  ["of another node", text.replace('"node":"n1"', '"node":"n3"')],
  ["of another version", text.replace('"version":1', '"version":2')],
  ["that was cut off", text.slice(0, -1)],
  ["with a term that is no number", text.replace('"term":3', '"term":"3"')],
  ["with a key that is too short", text.replace(/"keys":\["[^"]+"\]/, '"keys":["AAAA"]')],
  ["with too many previous nodes", text.replace('"previous":["n3","n4"]', '"previous":["n3","n4","n5"]')],
  ["that is empty", ""],
] as const) {
  test(`a file ${words} is not used`, () => assert.equal(parseLastStakes(broken, "n1"), undefined));
}

describe("the file", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "last-stakes-"));
  });
  after(() => rmSync(folder, { recursive: true }));
  const path = () => join(folder, stakeFileName);

  test("is readable for its user alone, replaced as a whole, and removed", async () => {
    const file = stakeFileIn(folder);
    assert.equal(await file.read(), undefined);
    await file.write("one");
    await file.write("two");
    assert.equal(statSync(path()).mode & 0o777, 0o600);
    assert.equal(await file.read(), "two");
    await removeStakeFile(folder);
    assert.equal(await file.read(), undefined);
    await removeStakeFile(folder);
  });

  test("is not read when others can read or write it", async () => {
    writeFileSync(path(), "planted");
    chmodSync(path(), 0o644);
    assert.equal(await stakeFileIn(folder).read(), undefined);
  });

  test("is never written through a link", async () => {
    const target = join(folder, "target");
    writeFileSync(target, "kept");
    symlinkSync(target, `${path()}.new`);
    await stakeFileIn(folder).write("secret");
    assert.equal(readFileSync(target, "utf8"), "kept");
    assert.equal(await stakeFileIn(folder).read(), "secret");
  });
});

test("the claims are kept once the write under way is over, and nothing is written before the start", async () => {
  const clock = new FakeClock();
  const written: string[] = [];
  let finish = (): void => {};
  const keeper = new StakeKeeper({
    node: "n1",
    file: {
      read: async () => undefined,
      write: async (one) => {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        written.push(one);
      },
    },
    current: () => last,
    clock,
    log: silentLogger,
  });
  const claims = new Map([["192.0.2.200", { createdSeconds: 1, term: 3, epoch: 0, rank: 0 }]]);
  await keeper.keepForRestart(claims);
  assert.deepEqual(written, []);
  keeper.start();
  await clock.advance(5_000);
  keeper.stop();
  const kept = keeper.keepForRestart(claims);
  await settle();
  finish();
  await settle();
  finish();
  await kept;
  assert.deepEqual(
    written.map((one) => parseLastStakes(one, "n1")?.restart?.claims),
    [undefined, claims],
  );
});

test("several changes are one write, none comes before the start, and a failed one is tried again", async () => {
  const clock = new FakeClock();
  const written: string[] = [];
  let broken = true;
  let term = 1;
  const keeper = new StakeKeeper({
    node: "n1",
    file: {
      read: async () => undefined,
      write: async (one) => {
        if (broken) throw new Error("read-only file system");
        written.push(one);
      },
    },
    current: () => ({ ...last, stakes: last.stakes.map((stake) => ({ ...stake, term })) }),
    clock,
    log: silentLogger,
  });
  keeper.changed();
  await clock.advance(5_000);
  assert.deepEqual(written, []);
  keeper.start();
  keeper.changed();
  await clock.advance(5_000);
  broken = false;
  await clock.advance(60_000);
  await settle();
  assert.equal(written.length, 1);
  keeper.changed();
  await clock.advance(5_000);
  assert.equal(written.length, 1, "nothing has changed");
  term = 2;
  for (let change = 0; change < 3; change++) keeper.changed();
  await clock.advance(5_000);
  assert.deepEqual(
    written.map((one) => parseLastStakes(one, "n1")?.stakes[0]?.term),
    [1, 2],
  );
  keeper.stop();
});
