import assert from "node:assert/strict";
import { test } from "node:test";
import {
  afterDeathUntilMs,
  lateUntilMs,
  type ProxiedPort,
  type SeenService,
  seeService,
} from "../../../../speaker/dataplane/kube-proxy-delay.ts";

const web: ProxiedPort = {
  id: "192.0.2.200 tcp 80",
  nodePort: 30080,
  served: true,
  reachedNodes: new Set(),
  deadNodes: new Set(),
};

/** It reaches these nodes, of which some are dead. */
function reaching(reached: readonly string[], dead: readonly string[]): ProxiedPort {
  return { ...web, reachedNodes: new Set(reached), deadNodes: new Set(dead) };
}
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
  const dead = seeService(first, "1", [reaching(["n2"], ["n2"])], 100_000);
  assert.deepEqual(lateAt(dead, 100_001), []);
  for (const now of [web, reaching(["n2"], [])]) {
    const after = seeService(dead, "1", [now], 200_000);
    assert.deepEqual(lateAt(after, 259_999), [web.id]);
    assert.deepEqual(lateAt(seeService(after, "1", [web], 300_000), 300_000), []);
  }
});

const deaths: readonly {
  readonly words: string;
  /** What is seen every 10 s after both nodes have died. */
  readonly ports: readonly ProxiedPort[];
  /** Until when kube-proxy may not have that endpoints are gone. */
  readonly until: number | undefined;
}[] = [
  { words: "the endpoints are gone", ports: [web], until: 70_000 },
  { words: "the nodes live again", ports: [reaching(["n2", "n3"], [])], until: undefined },
  { words: "one is gone, and the other one lives again", ports: [reaching(["n2"], [])], until: 70_000 },
  {
    words: "one is gone, and the other one lives again afterwards",
    ports: [reaching(["n2"], ["n2"]), reaching(["n2"], [])],
    until: 70_000,
  },
  { words: "one is gone after the other", ports: [reaching(["n2"], ["n2"]), web], until: 80_000 },
  { words: "they are gone, and the node port changes", ports: [web, { ...web, nodePort: 30081 }], until: 70_000 },
  { words: "they come back", ports: [web, web, web], until: 70_000 },
];

for (const { words, ports, until } of deaths) {
  test(`two nodes are dead; ${words} → kube-proxy may not have that until ${until ?? "any time"}`, () => {
    const both = reaching(["n2", "n3"], ["n2", "n3"]);
    let seen = seeService(undefined, "1", [both], 0);
    let nowMs = 0;
    for (const port of ports) {
      nowMs += 10_000;
      seen = seeService(seen, "1", [port], nowMs);
    }
    const port = seen.ports.get(web.id);
    assert.equal(afterDeathUntilMs(port, nowMs, 60_000), until);
    assert.equal(afterDeathUntilMs(port, nowMs, 0), undefined);
    if (until !== undefined) assert.equal(afterDeathUntilMs(port, until, 60_000), undefined);
  });
}

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
