import { z } from "zod";
import { LabError } from "../lab/error.ts";

const nanosecondsPerSecond = 1e9;

/** As much as is read here of what --ginkgo.json-report writes (ginkgo v2, types/types.go: Report and SpecReport). */
const Report = z.array(
  z.object({
    SpecReports: z
      .array(
        z.object({
          ContainerHierarchyTexts: z.array(z.string()).nullish(),
          LeafNodeType: z.string(),
          LeafNodeText: z.string(),
          State: z.string(),
          RunTime: z.number(),
          Failure: z.object({ Message: z.string() }).optional(),
        }),
      )
      .nullish(),
  }),
);

export type SpecState = "passed" | "failed" | "skipped";

/** How one spec ended. */
export interface SpecResult {
  readonly state: SpecState;
  readonly seconds: number;
  /** What the spec said when it did not pass. */
  readonly message?: string;
}

function read(text: string) {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new LabError("command-failed", "the report of e2e.test is not JSON", { cause });
  }
  const parsed = Report.safeParse(value);
  if (parsed.success) return parsed.data.flatMap((suite) => suite.SpecReports ?? []);
  throw new LabError("command-failed", `the report of e2e.test is not understood: ${z.prettifyError(parsed.error)}`);
}

function nameOf(spec: ReturnType<typeof read>[number]): string {
  return [...(spec.ContainerHierarchyTexts ?? []), spec.LeafNodeText].join(" ");
}

/** The full names of all specs in a report, sorted. */
export function specNames(text: string): readonly string[] {
  return read(text)
    .filter((spec) => spec.LeafNodeType === "It")
    .map(nameOf)
    .sort();
}

/**
 * How the spec of that name ended. A set-up of the whole suite that failed counts for the spec, which did not run then; a spec
 * that skipped itself says why, and one that was filtered out is missing.
 */
export function resultOf(text: string, name: string): SpecResult {
  const nodes = read(text);
  const spec = nodes.find((node) => node.LeafNodeType === "It" && nameOf(node) === name);
  const suite = nodes.find((node) => node.LeafNodeType !== "It" && node.Failure !== undefined);
  const seconds = (spec?.RunTime ?? 0) / nanosecondsPerSecond;
  if (spec?.State === "passed" && suite === undefined) return { state: "passed", seconds };
  if (spec?.State === "skipped" && spec.Failure !== undefined) {
    return { state: "skipped", seconds, message: spec.Failure.Message };
  }
  const ran = spec !== undefined && spec.State !== "skipped" && spec.State !== "passed";
  const message =
    (ran ? spec.Failure : suite?.Failure)?.Message ?? `e2e.test did not run it (${spec?.State ?? "no such spec"})`;
  return { state: "failed", seconds, message };
}
