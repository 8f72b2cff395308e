import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { downLab } from "../../lab/lab.ts";
import type { Api } from "../api.ts";
import { answerFaults, testAnswerFault } from "./answers.ts";
import { upBareLab } from "./bare-lab.ts";
import { testClientContract } from "./client-contract.ts";
import { ControllerProcess, type ControllerProcessOptions } from "./controller-process.ts";
import { leadershipLosses, startPair, testLossDuringExchange } from "./exchange.ts";
import type { FaultLab } from "./fault-lab.ts";
import { testExpiredToken, testReplacedAuthority } from "./identities.ts";
import { testLargeServices } from "./large-services.ts";
import { testMissingKinds } from "./missing-kinds.ts";
import { type FaultProxy, type Step, steps } from "./proxy.ts";
import { RecordedServices } from "./recorded-services.ts";
import { isCreating, requestFaults, stepNames } from "./scenario.ts";
import { testSecondWriter } from "./second-writer.ts";
import { SilenceTrial } from "./silence.ts";
import { FaultTable } from "./table.ts";

const labName = process.env.E2E_LAB ?? "e2e-faults";
const table = new FaultTable();
const running = new Set<ControllerProcess>();
const bystanders = ["bystander-0", "bystander-1", "bystander-2"];
let api: Api;
let services: RecordedServices;
let silence: SilenceTrial | undefined;

async function start(options: ControllerProcessOptions = {}): Promise<ControllerProcess> {
  const controller = new ControllerProcess(api.lab.apiSocket, options);
  running.add(controller);
  await controller.start();
  return controller;
}

async function stop(controller: ControllerProcess): Promise<void> {
  running.delete(controller);
  await controller.stop();
}

/** What the scenarios in other files work with. */
function faultLab(): FaultLab {
  return { api, services, table, bystanders, start, stop };
}

function named(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}

describe("faults between the controller and the API server", () => {
  before(async () => {
    api = await upBareLab(labName, "faults");
    services = new RecordedServices(api);
    await services.prepare();
    const controller = await start();
    await services.create(bystanders);
    await services.settle(bystanders);
    await stop(controller);
    silence = await SilenceTrial.begin(api);
  });

  /** A test that fails leaves nothing to the next one. */
  afterEach(async () => {
    for (const controller of running) await stop(controller);
    await services.deleteOthers(bystanders);
  });
  after(async () => {
    await silence?.stop();
    table.write();
    await downLab(labName);
  });

  test("without faults, the client keeps the contract that the fake API server keeps in unit tests", () =>
    testClientContract(api.lab));

  test("a request, or its answer, that fails at any step of a Service's life", async () => {
    const controller = await start();
    const cases = requestFaults.flatMap(({ key, name, fault }) =>
      steps.map((step) => ({ service: `${key}-${step}`, name, fault, step })),
    );
    const due = new Map(cases.map(({ service, fault, step }) => [`${service}/${step}`, fault]));
    controller.proxy.script = ({ service, step }) => {
      const fault = due.get(`${service}/${step}`);
      due.delete(`${service}/${step}`);
      return fault;
    };
    const names = cases.map(({ service }) => service);
    await services.create(names);
    await services.settle([...bystanders, ...names]);
    await services.delete(names);
    await services.settle(bystanders);
    assert.deepEqual([...due.keys()], [], "each fault must have happened");
    for (const { service, name, step } of cases) {
      const tries = controller.proxy.tries.get(`${service}/${step}`) ?? 0;
      const outcome = isCreating(step) ? "the Service has one address" : "the Service and its VirtualIP are gone";
      table.add(name, stepNames[step], `${outcome}; ${tries} ${tries === 1 ? "attempt" : "attempts"}`);
    }
    await stop(controller);
  });

  const watchFaults: readonly {
    readonly name: string;
    readonly begin: (proxy: FaultProxy) => void;
    readonly end?: (proxy: FaultProxy) => void;
  }[] = [
    { name: "all watches cut", begin: (proxy) => proxy.cutWatches() },
    { name: "all watches report 410 Expired: everything is listed again", begin: (proxy) => proxy.expireWatches() },
    {
      name: "watches answered with 410 when they are opened again",
      begin: (proxy) => {
        const refused = new Set<string>();
        proxy.script = ({ isWatch, path }) => {
          if (!isWatch || refused.has(path)) return undefined;
          refused.add(path);
          return { kind: "answer", status: 410, reason: "Expired" };
        };
        proxy.cutWatches();
      },
    },
    {
      name: "events of Services arrive 3 s after events of VirtualIPs",
      begin: (proxy) => proxy.delaysMs.set("services", 3_000),
      end: (proxy) => proxy.delaysMs.clear(),
    },
    {
      name: "events of VirtualIPs arrive 3 s after events of Services",
      begin: (proxy) => proxy.delaysMs.set("virtualips", 3_000),
      end: (proxy) => proxy.delaysMs.clear(),
    },
  ];
  for (const { name, begin, end } of watchFaults) {
    test(`${name}, while Services come and go`, async () => {
      const controller = await start();
      const old = named("old", 5);
      const young = named("young", 5);
      await services.create(old);
      await services.settle([...bystanders, ...old]);
      begin(controller.proxy);
      await Promise.all([services.create(young), services.delete(old)]);
      await sleep(1_000);
      end?.(controller.proxy);
      await services.settle([...bystanders, ...young]);
      await services.delete(young);
      await services.settle(bystanders);
      table.add(
        name,
        "create five Services, delete five",
        "each new Service has one address, the deleted ones are gone",
      );
      await stop(controller);
    });
  }

  for (const step of steps) {
    for (const moment of ["before", "after"] as const) {
      test(`the leader is killed ${moment} the write: ${stepNames[step]}`, () => killAt(step, moment));
    }
  }

  test("the leader is killed between claim and status, and the other candidate takes over by the lease", async () => {
    const [first, second] = await startPair(faultLab());
    const killed = first.killAt("claim", "after");
    await services.create(["elected"]);
    await killed;
    await services.settle([...bystanders, "elected"]);
    await services.delete(["elected"]);
    await services.settle(bystanders);
    const outcome = "when the lease has expired, the standby completes it: one address";
    table.add("leader killed (SIGKILL), with a standby", `after ${stepNames.claim}`, outcome);
    await stop(first);
    await stop(second);
  });

  test("two controllers that both believe that they lead, one of them behind the times", async () => {
    const [left, right] = [await start(), await start()];
    right.proxy.delaysMs.set("virtualips", 2_000).set("services", 1_000);
    const many = named("both", 30);
    await services.create(many);
    await services.settle([...bystanders, ...many]);
    await services.delete(many.slice(0, 15));
    const more = named("more", 15);
    await services.create(more);
    await services.settle([...bystanders, ...many.slice(15), ...more]);
    await services.delete([...many.slice(15), ...more]);
    await services.settle(bystanders);
    const both = [left, right].map(
      ({ proxy }) => [...proxy.tries.keys()].filter((key) => key.endsWith("/claim")).length,
    );
    assert.ok(Math.min(...both) > 0, "both must have tried to claim");
    const outcome = "each Service has one address, claimed once; the writes of the slower controller are refused";
    table.add("two controllers lead at once, one of them 2 s behind", "create 45 Services, delete 45", outcome);
    await stop(left);
    await stop(right);
  });

  for (const fault of answerFaults) {
    test(`${fault.name}, while Services come and go`, () => testAnswerFault(faultLab(), fault));
  }

  test("a second client writes the status of a Service", () => testSecondWriter(faultLab()));

  for (const loss of leadershipLosses) {
    test(`${loss.name} while two Services exchange their addresses`, () => testLossDuringExchange(faultLab(), loss));
  }

  test("the token expires, and the next one comes later", () => testExpiredToken(faultLab()));

  test("the certificate authority of the API server is replaced", () => testReplacedAuthority(faultLab()));

  test("the CustomResourceDefinitions are deleted and created again", () => testMissingKinds(faultLab()));

  test("ninety Services of 1.5 MB each", () => testLargeServices(faultLab()));

  test("watches and lists on which nothing more arrives are aborted, and what was missed is read", () =>
    silence?.expectNoticed(table));

  test("a watch on which nothing happens is not taken for dead", () => silence?.expectStanding(table));
});

async function killAt(step: Step, moment: "before" | "after"): Promise<void> {
  const service = `killed-${step}-${moment}`;
  const first = await start();
  if (!isCreating(step)) {
    await services.create([service]);
    await services.settle([...bystanders, service]);
  }
  const killed = first.killAt(step, moment);
  if (isCreating(step)) await services.create([service]);
  else await services.delete([service]);
  await killed;
  await stop(first);
  const second = await start();
  if (isCreating(step)) {
    await services.settle([...bystanders, service]);
    await services.delete([service]);
  }
  await services.settle(bystanders);
  const outcome = isCreating(step)
    ? "one address, the same if one was claimed already"
    : "Service and VirtualIP are gone";
  table.add(
    "leader killed (SIGKILL), another one starts",
    `${moment} ${stepNames[step]}`,
    `the new leader completes it: ${outcome}`,
  );
  await stop(second);
}
