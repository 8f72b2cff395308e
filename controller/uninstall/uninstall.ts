import type { Clock } from "../../src/clock/clock.ts";
import type { ApiClient } from "../../src/kube/client.ts";
import { planUninstall, type UninstallInput } from "./plan-uninstall.ts";
import { readUninstallInput } from "./read-uninstall-input.ts";
import { runUninstall } from "./run-uninstall.ts";
import type { ReleasedAddresses } from "./service-release.ts";
import { describeStep, type UninstallReport } from "./uninstall-report.ts";

export interface UninstallOptions {
  readonly client: ApiClient;
  /** The namespace that Bellhop runs in. */
  readonly namespace: string;
  /** False: only show what would be done. */
  readonly act: boolean;
  readonly addresses: ReleasedAddresses;
  readonly clock: Clock;
}

/**
 * Releases all that Bellhop holds on the API server, or shows what that is. The rules in the kernel of each node are `speaker --cleanup`'s.
 * Reads the cluster again after it has acted, because what still runs may have written it back. Throws what reading throws.
 */
export async function uninstall(options: UninstallOptions): Promise<UninstallReport> {
  const { client, namespace, act, addresses, clock } = options;
  const input = await readUninstallInput(client, namespace);
  const steps = planUninstall(input, addresses);
  if (!act) {
    const lines = steps.map((step) => describeStep(step, namespace));
    return { acted: false, lines, left: steps.length, missingKinds: missingKindsOf(input) };
  }
  const results = await runUninstall({ client, namespace, clock, addresses, claims: input.claims }, steps);
  const lines = steps.map((step, index) => describeStep(step, namespace, results[index]));
  const left = planUninstall(await readUninstallInput(client, namespace), addresses).length;
  return { acted: true, lines, left, missingKinds: missingKindsOf(input) };
}

function missingKindsOf({ virtualIps, speakers, identities }: UninstallInput): readonly string[] {
  const kinds = { VirtualIP: virtualIps, Speaker: speakers, SpeakerIdentity: identities };
  return Object.entries(kinds).flatMap(([kind, objects]) => (objects === undefined ? [kind] : []));
}
