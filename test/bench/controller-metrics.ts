import type { Lab } from "../lab/lab.ts";
import { productNamespace } from "../product/install.ts";

/** What a controller says of itself at one moment. */
export interface ControllerFigures {
  readonly pod: string;
  readonly leading: boolean;
  /** Services worked on to the end, with something written. */
  readonly written: number;
  /** Requests that change something, the leader lease (PUT) left out. */
  readonly writes: number;
  readonly reads: number;
  readonly cpuSeconds: number;
  readonly residentMiB: number;
  /** Seconds since 1970. */
  readonly startedAt: number;
}

interface PodList {
  readonly items: ReadonlyArray<{
    readonly metadata: { readonly name: string };
    readonly status: { readonly podIP?: string; readonly phase?: string };
  }>;
}

/** Reads /metrics of every controller that answers, from the first node of the lab. */
export async function readControllers(lab: Lab): Promise<readonly ControllerFigures[]> {
  const path = `/api/v1/namespaces/${productNamespace}/pods?labelSelector=app.kubernetes.io/component=controller`;
  const { items } = await lab.api<PodList>("GET", path);
  const figures = items.map(async ({ metadata, status }) => {
    if (status.podIP === undefined || status.phase !== "Running") return [];
    return readController(lab, metadata.name, status.podIP);
  });
  return (await Promise.all(figures)).flat();
}

/** Gives nothing where the pod does not answer (yet). */
export async function readController(lab: Lab, pod: string, ip: string): Promise<readonly ControllerFigures[]> {
  const node = lab.nodes[0] ?? "n1";
  const { code, stdout } = await lab.exec(node, ["curl", "-s", "--max-time", "5", `http://${ip}:7480/metrics`]);
  return code === 0 && stdout !== "" ? [figuresOf(pod, stdout)] : [];
}

function figuresOf(pod: string, text: string): ControllerFigures {
  const methods = (pattern: RegExp): number => sumOf(text, "bellhop_api_requests_total", pattern);
  return {
    pod,
    leading: sumOf(text, "bellhop_leading") === 1,
    written: sumOf(text, "bellhop_reconciles_total", /result="written"/),
    writes: methods(/method="(POST|PATCH|DELETE)"/),
    reads: methods(/method="GET"/),
    cpuSeconds: sumOf(text, "process_cpu_seconds_total"),
    residentMiB: sumOf(text, "process_resident_memory_bytes") / 2 ** 20,
    startedAt: sumOf(text, "process_start_time_seconds"),
  };
}

/** The sum over all series of that name whose labels match. */
export function sumOf(text: string, name: string, labels = /(?:)/): number {
  let sum = 0;
  for (const [, labelText = "", value = "0"] of text.matchAll(new RegExp(`^${name}(?:\\{(.*)\\})? (\\S+)`, "gm"))) {
    if (labels.test(labelText)) sum += Number(value);
  }
  return sum;
}
