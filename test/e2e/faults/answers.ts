import assert from "node:assert/strict";
import type { FaultLab } from "./fault-lab.ts";
import { bulkyService } from "./large-services.ts";
import type { FaultProxy, Passage } from "./proxy.ts";

/** What is wrong with all answers, from the start of a controller. */
interface AnswerFault {
  readonly name: string;
  readonly begin: (proxy: FaultProxy) => void;
  /** Throws if the fault did not happen. */
  readonly expectHappened: (proxy: FaultProxy) => void;
}

function refuseWatchLists(status: 400 | 422) {
  return ({ isWatch, isList }: Passage) =>
    isWatch && isList ? ({ kind: "answer", status, reason: "Invalid" } as const) : undefined;
}

/** Paths of which a list was cut off already. */
function truncateOnce(): FaultProxy["script"] {
  const refuse = refuseWatchLists(422);
  const cut = new Set<string>();
  return (passage) => {
    const { isWatch, isList, path } = passage;
    if (isWatch || !isList || cut.has(path)) return refuse(passage);
    cut.add(path);
    return { kind: "truncate" };
  };
}

function cutWatchListsOnce(): FaultProxy["script"] {
  const cut = new Set<string>();
  return ({ isWatch, isList, path }) => {
    if (!isWatch || !isList || cut.has(path)) return undefined;
    cut.add(path);
    return { kind: "cut", done: false };
  };
}

export const answerFaults: readonly AnswerFault[] = [
  {
    name: "each answer comes 3 s late",
    begin: (proxy) => {
      proxy.answersLateMs = 3_000;
    },
    expectHappened: () => {},
  },
  {
    name: "no WatchList (422): everything is listed in pages, compressed",
    begin: (proxy) => {
      proxy.script = refuseWatchLists(422);
    },
    expectHappened: ({ compressed }) => assert.ok(compressed > 0, "a list must have been compressed"),
  },
  {
    name: "no WatchList (400) and no compression",
    begin: (proxy) => {
      proxy.script = refuseWatchLists(400);
      proxy.refusesCompression = true;
    },
    expectHappened: ({ compressed }) => assert.equal(compressed, 0),
  },
  {
    name: "the first list of each kind ends in the middle, also a compressed one",
    begin: (proxy) => {
      proxy.script = truncateOnce();
    },
    expectHappened: ({ compressed }) => assert.ok(compressed > 1, "the first one and the next one"),
  },
  {
    name: "the first WatchList of each kind is cut",
    begin: (proxy) => {
      proxy.script = cutWatchListsOnce();
    },
    expectHappened: () => {},
  },
];

/** The fault is there when the controller starts, and while Services are created and deleted. */
export async function testAnswerFault(
  { api, services, table, bystanders, start, stop }: FaultLab,
  { name, begin, expectHappened }: AnswerFault,
): Promise<void> {
  // The API server compresses lists from 128 KiB on.
  await api.apply(bulkyService("bulky"));
  const controller = await start({ prepare: begin });
  const young = ["young-0", "young-1", "young-2", "young-3", "young-4"];
  await services.create(young);
  await services.settle([...bystanders, ...young]);
  await services.delete(young);
  await services.settle(bystanders);
  expectHappened(controller.proxy);
  await stop(controller);
  await api.delete("v1", "Service", "bulky");
  table.add(
    name,
    "start, create five Services, delete five",
    "each Service has one address, and all are gone at the end",
  );
}
