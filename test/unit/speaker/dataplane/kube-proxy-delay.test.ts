import assert from "node:assert/strict";
import { test } from "node:test";
import {
  lateUntilMs,
  type ProxiedPort,
  type SeenService,
  seeService,
} from "../../../../speaker/dataplane/kube-proxy-delay.ts";

const web: ProxiedPort = { id: "192.0.2.200 tcp 80", nodePort: 30080, served: true, reachesDead: false };
const changes: readonly {
  readonly words: string;
  readonly uid?: string;
  readonly ports: readonly ProxiedPort[];
  /** The ports that kube-proxy has to learn. */
  readonly late: readonly string[];
}[] = [
  { words: "nothing", ports: [web], late: [] },
  { words: "another node port", ports: [{ ...web, nodePort: 30081 }], late: [web.id] },
  { words: "a node port that is taken away", ports: [{ ...web, nodePort: 0 }], late: [web.id] },
  { words: "the last endpoint is gone", ports: [{ ...web, served: false }], late: [] },
  { words: "another port", ports: [web, { ...web, id: "192.0.2.200 tcp 81" }], late: ["192.0.2.200 tcp 81"] },
  { words: "another address", ports: [{ ...web, id: "192.0.2.201 tcp 80" }], late: ["192.0.2.201 tcp 80"] },
  { words: "the port is gone", ports: [], late: [] },
  { words: "the Service was created again", uid: "2", ports: [web], late: [web.id] },
];

function lateAt(service: SeenService, nowMs: number): readonly string[] {
  return [...service.ports.values()]
    .filter((port) => lateUntilMs(port, nowMs, 60_000) !== undefined)
    .map(({ id }) => id);
}

test("a new Service is late for the time that kube-proxy may take, and no longer", () => {
  const seen = seeService(undefined, "1", [web], 1_000);
  assert.deepEqual(lateAt(seen, 60_999), [web.id]);
  assert.deepEqual(lateAt(seen, 61_000), []);
  assert.equal(lateUntilMs(seen.ports.get(web.id), 1_000, 60_000), 61_000);
});

for (const { words, uid = "1", ports, late } of changes) {
  test(`${words} → ${late.length === 0 ? "nothing" : late.join(", ")} is late`, () => {
    const before = seeService(undefined, "1", [web], 0);
    const seen = seeService(before, uid, ports, 100_000);
    assert.deepEqual(lateAt(seen, 100_001), late);
    assert.deepEqual(
      [...seen.ports.keys()],
      ports.map(({ id }) => id),
    );
  });
}

test("that an endpoint on a dead node is gone is late, also when the node lives again; that a node died is not", () => {
  const first = seeService(undefined, "1", [web], 0);
  const dead = seeService(first, "1", [{ ...web, reachesDead: true }], 100_000);
  const without = seeService(dead, "1", [web], 200_000);
  assert.deepEqual(lateAt(dead, 100_001), []);
  assert.deepEqual(lateAt(without, 259_999), [web.id]);
  const afterDeath = [first, dead, without, seeService(without, "1", [{ ...web, nodePort: 30081 }], 210_000)].map(
    ({ ports }) => ports.get(web.id)?.afterDeath,
  );
  assert.deepEqual(afterDeath, [false, false, true, false], "it is known what kube-proxy has to learn");
  assert.deepEqual(lateAt(seeService(without, "1", [web], 300_000), 300_000), []);
});

test("the first endpoint after a time without any is late", () => {
  const first = seeService(undefined, "1", [web], 0);
  const without = seeService(first, "1", [{ ...web, served: false }], 100_000);
  const back = seeService(without, "1", [web], 200_000);
  assert.deepEqual(lateAt(without, 150_000), []);
  assert.deepEqual(lateAt(back, 259_999), [web.id]);
});

test("a change that is not kube-proxy's concern does not prolong the wait", () => {
  let seen = seeService(undefined, "1", [web], 0);
  for (let nowMs = 1_000; nowMs < 60_000; nowMs += 1_000) seen = seeService(seen, "1", [web], nowMs);
  assert.deepEqual(lateAt(seen, 60_000), []);
});

test("without a delay nothing is late", () => {
  const seen = seeService(undefined, "1", [web], 1_000);
  assert.equal(lateUntilMs(seen.ports.get(web.id), 1_000, 0), undefined);
});
