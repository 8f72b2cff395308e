import { z } from "zod";
import type { Registry } from "../../src/metrics/registry.ts";
import { code, codeList, escapeText, generatedFrom, table } from "./markdown.ts";

/** What prom-client keeps of a metric, whatever has been counted so far. Its types leave out labels and buckets. */
const metricSchema = z.object({
  name: z.string(),
  help: z.string(),
  type: z.enum(["counter", "gauge", "histogram", "summary"]),
  labelNames: z.array(z.string()),
  buckets: z.array(z.number()).optional(),
});
type Metric = z.infer<typeof metricSchema>;

/** One program and the registry it fills, without the metrics of the process. */
export interface ProgramMetrics {
  readonly program: string;
  /** Where it serves them unless told otherwise. */
  readonly port: string;
  readonly registry: Registry;
}

/** The whole of docs/reference/metrics.md. A metric that every program has is listed once, in a chapter of its own. */
export function metricsPage(programs: readonly ProgramMetrics[]): string {
  const read = programs.map(({ program, registry }) => ({ program, metrics: metricsOf(registry) }));
  const counts = new Map<string, number>();
  for (const { metrics } of read) for (const { name } of metrics) counts.set(name, (counts.get(name) ?? 0) + 1);
  const isCommon = ({ name }: Metric): boolean => counts.get(name) === programs.length;
  const own = read.map(({ program, metrics }) =>
    chapter(
      program,
      metrics.filter((metric) => !isCommon(metric)),
    ),
  );
  const common = read[0]?.metrics.filter(isCommon) ?? [];
  const every = [...new Map(read.flatMap(({ metrics }) => metrics).map((metric) => [metric.name, metric])).values()];
  return [introduction(programs), ...own, chapter("Both programs", common), buckets(every)].join("\n");
}

function metricsOf(registry: Registry): readonly Metric[] {
  return registry.getMetricsAsArray().map((metric) => metricSchema.parse(metric));
}

function introduction(programs: readonly ProgramMetrics[]): string {
  const ports = programs.map(({ program, port }) => `- ${program}: port ${port}`).join("\n");
  return `# Metrics

${generatedFrom("the metrics that both programs register")}

Both programs serve their metrics in the Prometheus text format at \`/metrics\`, on \`--http-host\` and \`--http-port\`. The default ports are:

${ports}

Values of the label \`reason\` are the codes of [Reasons](reasons.md). The \`process_*\` and \`nodejs_*\` metrics, which both programs serve too,
are the default metrics of [prom-client](https://github.com/siimon/prom-client#default-metrics).
`;
}

function chapter(title: string, metrics: readonly Metric[]): string {
  const rows = sorted(metrics).map(({ name, type, labelNames, help }) => [
    code(name),
    type,
    codeList(labelNames),
    escapeText(help),
  ]);
  return `## ${title}\n\n${table(["Name", "Type", "Labels", "Description"], rows)}`;
}

function buckets(metrics: readonly Metric[]): string {
  const rows = sorted(metrics).flatMap(({ name, buckets }) =>
    buckets === undefined ? [] : [[code(name), buckets.join(", ")]],
  );
  return `## Histogram buckets\n\n${table(["Name", "Upper bounds"], rows)}`;
}

function sorted(metrics: readonly Metric[]): readonly Metric[] {
  return metrics.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
