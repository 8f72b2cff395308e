import { waitFor } from "../lab/wait.ts";
import type { Api } from "./api.ts";

export interface AddressReady {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** Bellhop's condition on a Service of the namespace. */
export async function addressReady(api: Api, name: string): Promise<AddressReady | undefined> {
  const { status } = await api.get("v1", "Service", name);
  return status?.conditions?.find((entry: { type: string }) => entry.type === "bellhop.dev/AddressReady");
}

/** Waits until the condition says so; fails with what it said last. */
export async function expectCondition(api: Api, name: string, status: string, reason: string): Promise<AddressReady> {
  const what = `condition ${status} ${reason} of Service ${name}`;
  return waitFor({ what, timeoutMs: 15_000 }, async () => {
    const condition = await addressReady(api, name);
    return condition?.status === status && condition.reason === reason ? condition : undefined;
  });
}

/** The warnings about a Service, once there is one. */
export async function expectWarnings(
  api: Api,
  name: string,
): Promise<readonly { readonly reason: string; readonly note: string }[]> {
  return waitFor({ what: `a warning about Service ${name}`, timeoutMs: 10_000 }, async () => {
    const warnings = (await api.events("Service", name)).filter(({ type }) => type === "Warning");
    return warnings.length > 0 ? warnings : undefined;
  });
}
