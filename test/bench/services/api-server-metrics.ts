import { askApi } from "../../lab/api.ts";
import type { Lab } from "../../lab/lab.ts";
import { sumOf } from "../controller-metrics.ts";

/** A kind of request, by the labels of the API server's metrics. */
export interface RequestKind {
  readonly title: string;
  readonly labels: RegExp;
}

/** The two writes that each Service costs: its VirtualIP, and the patch with address, condition and finalizer. */
export const serviceWrites: readonly RequestKind[] = [
  {
    title: "create VirtualIP",
    labels: /(?=.*verb="POST")(?=.*group="bellhop\.dev")(?=.*resource="virtualips")(?=.*subresource="")/,
  },
  {
    title: "patch Service status",
    labels: /(?=.*verb="PATCH")(?=.*group="")(?=.*resource="services")(?=.*subresource="status")/,
  },
];

/** How many requests of a kind the API server has answered, and in how many seconds altogether. */
export interface RequestTotals {
  readonly count: number;
  readonly seconds: number;
}

/** Reads the API server's own metrics (apiserver_request_duration_seconds): one entry for each kind of `serviceWrites`, in that order. */
export async function readServiceWrites(lab: Lab): Promise<readonly RequestTotals[]> {
  const { body } = await askApi(lab.apiSocket, "GET", "/metrics");
  return serviceWrites.map(({ labels }) => ({
    count: sumOf(body, "apiserver_request_duration_seconds_count", labels),
    seconds: sumOf(body, "apiserver_request_duration_seconds_sum", labels),
  }));
}
