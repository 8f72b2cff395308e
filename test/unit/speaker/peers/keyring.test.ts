import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Keyring } from "../../../../speaker/peers/keyring.ts";
import { FakeClock } from "../../../../src/clock/fake.ts";
import { HeartbeatKey } from "../../../../src/heartbeat/heartbeat-key.ts";
import type { KeySecretView } from "../../../../src/heartbeat/key-secret.ts";

const key = (fill: number): HeartbeatKey => new HeartbeatKey(new Uint8Array(32).fill(fill));

let views: Map<string, KeySecretView>;
let clock: FakeClock;
let changes: number;
let keyring: Keyring;

beforeEach(() => {
  views = new Map();
  clock = new FakeClock();
  changes = 0;
  keyring = new Keyring({ secrets: { views }, onChange: () => (changes += 1), clock });
});

function set(current: number, previous?: number): void {
  views.set("bellhop-system/bellhop-heartbeat", {
    current: key(current),
    previous: previous === undefined ? undefined : key(previous),
  });
  keyring.secretChanged();
}

/** The first bytes of the keys: what they were filled with. */
const fills = () => keyring.keys.map((one) => one.exportBytes()[0]);

test("a rotation puts the new key before the former one, until that one is removed", () => {
  set(1);
  set(2, 1);
  assert.deepEqual(fills(), [2, 1]);
  set(2);
  assert.deepEqual([fills(), changes], [[2], 3]);
});

test("a Secret that was deleted or cannot be used leaves the keys as they are", () => {
  set(1);
  views.clear();
  keyring.secretChanged();
  assert.deepEqual([fills(), changes], [[1], 1]);
});

test("a key that was replaced without a rotation stays for a minute", async () => {
  set(1);
  set(2);
  assert.deepEqual(fills(), [2, 1]);
  await clock.advance(59_000);
  assert.deepEqual(fills(), [2, 1]);
  await clock.advance(1_000);
  assert.deepEqual([fills(), changes], [[2], 3]);
});

test("a key that was replaced and comes back is the present one alone", async () => {
  set(1);
  set(2);
  set(1);
  assert.deepEqual(fills(), [1, 2]);
  await clock.advance(60_000);
  assert.deepEqual(fills(), [1]);
});

test("the keys of an earlier speaker are used until the Secret was read", () => {
  keyring.restore([key(1)]);
  assert.deepEqual([fills(), changes], [[1], 1]);
  set(2, 1);
  keyring.restore([key(3)]);
  assert.deepEqual(fills(), [2, 1]);
});

test("the same Secret again changes nothing", () => {
  set(1);
  set(1);
  assert.equal(changes, 1);
});
