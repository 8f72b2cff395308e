import type { Observation } from "../../e2e/probe/announcement-observer.ts";
import type { ClientReport, RequestRecord } from "../../e2e/probe/steady-client.ts";

/** One way to one address, as one client sees it. */
export interface TargetName {
  readonly client: string;
  readonly path: string;
  readonly family: string;
  readonly address: string;
}

/** What one client saw of one target after the fault. Times in ms after the fault, unless said otherwise. */
export interface TargetFigures extends TargetName {
  /** The longest time without a good answer that ended after the fault; undefined when none came after the last failed request. */
  readonly gapMs: number | undefined;
  readonly firstFailedMs: number | undefined;
  /** The end of the first good answer to a request that began after the first failed one. */
  readonly firstGoodMs: number | undefined;
  readonly asked: number;
  readonly failed: number;
  /** Of those, the requests that began more than a second after the fault. */
  readonly failedLate: number;
  /** When those began; the first hundred. */
  readonly failedLateAtMs?: readonly number[];
  readonly askedLate: number;
  readonly errors: Readonly<Record<string, number>>;
}

/** A request that began so long before the fault, at the most, may have met it. Others ended before, or failed for another reason. */
const inFlightMs = 50;

/** "After the first second" in the aims of a failover. */
const lateMs = 1_000;

/** The requests to one target, in any order; `faultMs` is the moment before the fault. */
export function readTarget(name: TargetName, requests: readonly RequestRecord[], faultMs: number): TargetFigures {
  const after = requests.filter(({ startMs }) => startMs >= faultMs - inFlightMs);
  const failed = after.filter(({ error }) => error !== undefined);
  const firstFailed = failed.length === 0 ? undefined : Math.min(...failed.map(({ startMs }) => startMs));
  const good = requests.filter(({ error }) => error === undefined);
  const goodAfter =
    firstFailed === undefined ? [] : good.filter(({ startMs }) => startMs >= firstFailed).map(({ endMs }) => endMs);
  const late = after.filter(({ startMs }) => startMs >= faultMs + lateMs);
  const failedLate = late.filter(({ error }) => error !== undefined);
  const errors: Record<string, number> = {};
  for (const { error = "" } of failed) errors[error] = (errors[error] ?? 0) + 1;
  return {
    ...name,
    gapMs: longestGap(
      good.map(({ endMs }) => endMs),
      faultMs,
      firstFailed !== undefined && goodAfter.length === 0,
    ),
    firstFailedMs: firstFailed === undefined ? undefined : firstFailed - faultMs,
    firstGoodMs: goodAfter.length === 0 ? undefined : Math.min(...goodAfter) - faultMs,
    asked: after.length,
    failed: failed.length,
    failedLate: failedLate.length,
    failedLateAtMs: failedLate.slice(0, 100).map(({ startMs }) => startMs - faultMs),
    askedLate: late.length,
    errors,
  };
}

function longestGap(ends: readonly number[], faultMs: number, endless: boolean): number | undefined {
  if (endless || ends.length === 0) return undefined;
  const sorted = ends.toSorted((left, right) => left - right);
  let longest = 0;
  for (const [index, end] of sorted.entries()) {
    const previous = sorted[index - 1];
    if (previous !== undefined && end >= faultMs) longest = Math.max(longest, end - previous);
  }
  return longest;
}

/** Which devices answered for one address. Times in ms after the fault. */
export interface AnswererFigures {
  readonly address: string;
  /** The devices that answered before the fault. */
  readonly before: readonly string[];
  /** The first answer of a device that did not answer before the fault. */
  readonly changedMs: number | undefined;
  /** The first gratuitous frame of such a device. */
  readonly gratuitousMs: number | undefined;
  /** How long two or more devices answered. */
  readonly overlapMs: number;
  /** The devices that answered in the last second that was observed. */
  readonly last: readonly string[];
}

/** The answers for one address, oldest first. */
export function readAnswerers(address: string, seen: readonly Observation[], faultMs: number): AnswererFigures {
  const own = seen.filter((one) => one.address === address);
  const before = new Set(own.filter(({ atMs }) => atMs < faultMs).map(({ mac }) => mac));
  const others = own.filter(({ atMs, mac }) => atMs >= faultMs && !before.has(mac));
  const solicited = own.filter((one) => one.solicited && one.atMs >= faultMs);
  const endMs = own.at(-1)?.atMs ?? faultMs;
  return {
    address,
    before: [...before].sort(),
    changedMs: others.length === 0 ? undefined : (others[0]?.atMs ?? faultMs) - faultMs,
    gratuitousMs: relative(others.find((one) => !one.solicited)?.atMs, faultMs),
    overlapMs: overlapOf(solicited),
    last: [...new Set(solicited.filter(({ atMs }) => atMs > endMs - 1_000).map(({ mac }) => mac))].sort(),
  };
}

function relative(atMs: number | undefined, faultMs: number): number | undefined {
  return atMs === undefined ? undefined : atMs - faultMs;
}

/** A device that has not answered for so long, ten requests, has ended a spell of answering. */
const spellEndMs = 100;

/** How long two or more devices answered at the same time, each from the first to the last answer of a spell. Answers: oldest first. */
function overlapOf(answers: readonly Observation[]): number {
  const open = new Map<string, { fromMs: number; toMs: number }>();
  const ends: { readonly atMs: number; readonly step: 1 | -1 }[] = [];
  const close = ({ fromMs, toMs }: { fromMs: number; toMs: number }) =>
    ends.push({ atMs: fromMs, step: 1 }, { atMs: toMs, step: -1 });
  for (const { mac, atMs } of answers) {
    const spell = open.get(mac);
    if (spell !== undefined && atMs - spell.toMs <= spellEndMs) spell.toMs = atMs;
    else {
      if (spell !== undefined) close(spell);
      open.set(mac, { fromMs: atMs, toMs: atMs });
    }
  }
  for (const spell of open.values()) close(spell);
  let [total, answering, sinceMs] = [0, 0, 0];
  for (const { atMs, step } of ends.sort((left, right) => left.atMs - right.atMs || right.step - left.step)) {
    if (answering >= 2) total += atMs - sinceMs;
    answering += step;
    sinceMs = atMs;
  }
  return total;
}

/** All that one trial gave. */
export interface TrialFigures {
  readonly targets: readonly TargetFigures[];
  readonly answerers: readonly AnswererFigures[];
  readonly connections: number;
  readonly broken: number;
  readonly brokenBecause: Readonly<Record<string, number>>;
}

export interface ClientView {
  readonly client: string;
  readonly report: ClientReport;
}

/** Puts together what the clients and the observer saw. `names` are the targets of each client, in the order in which it was given them. */
export function readTrial(
  views: readonly ClientView[],
  names: ReadonlyArray<Omit<TargetName, "client">>,
  seen: readonly Observation[],
  faultMs: number,
): TrialFigures {
  const targets = views.flatMap(({ client, report }) =>
    names.map((name, index) =>
      readTarget(
        { client, ...name },
        report.requests.filter(({ target }) => target === index),
        faultMs,
      ),
    ),
  );
  const broken = views.flatMap(({ report }) => report.broken);
  const brokenBecause: Record<string, number> = {};
  for (const { error } of broken) brokenBecause[error] = (brokenBecause[error] ?? 0) + 1;
  const addresses = [...new Set(names.map(({ address }) => address))];
  return {
    targets,
    answerers: addresses.map((address) => readAnswerers(address, seen, faultMs)),
    connections: views.reduce((sum, { report }) => sum + report.connections, 0),
    broken: broken.length,
    brokenBecause,
  };
}
