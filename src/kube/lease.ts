import type { ApiClient } from "./client.ts";
import { getObject } from "./get-object.ts";
import { leasePath } from "./path.ts";

/** The part of a coordination.k8s.io/v1 LeaseSpec that Bellhop uses. Times are metav1.MicroTime. */
export interface LeaseSpec {
  /** Empty: no process holds it. */
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

export interface Lease {
  readonly metadata: Readonly<Record<string, unknown>> & {
    readonly resourceVersion?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: LeaseSpec;
}

/** Reads and writes one Lease. Each method throws ApiError if the API server refuses, and ApiUnreachable after `timeoutMs`. */
export class LeaseClient {
  readonly #client: ApiClient;
  readonly #namespace: string;
  readonly #name: string;

  constructor(client: ApiClient, namespace: string, name: string) {
    this.#client = client;
    this.#namespace = namespace;
    this.#name = name;
  }

  /** Undefined: the Lease does not exist. */
  async read(timeoutMs: number): Promise<Lease | undefined> {
    const path = leasePath(this.#namespace, this.#name);
    return (await getObject(this.#client, path, { timeoutMs })) as Lease | undefined;
  }

  /** `more`: labels and the like. Throws a 409 AlreadyExists if another client was faster. */
  async create(spec: LeaseSpec, timeoutMs: number, more: Readonly<Record<string, unknown>> = {}): Promise<Lease> {
    const metadata = { name: this.#name, namespace: this.#namespace, ...more };
    const body = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec };
    return (await this.#client.request({ method: "POST", path: leasePath(this.#namespace), body, timeoutMs }))
      .body as Lease;
  }

  /** Compare-and-swap by resourceVersion: throws a 409 Conflict if the Lease has changed since it was read. Adds the annotations. */
  async replace(
    lease: Lease,
    spec: LeaseSpec,
    timeoutMs: number,
    annotations: Readonly<Record<string, string>> = {},
  ): Promise<Lease> {
    const path = leasePath(this.#namespace, this.#name);
    const metadata = { ...lease.metadata, annotations: { ...lease.metadata.annotations, ...annotations } };
    const body = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec };
    return (await this.#client.request({ method: "PUT", path, body, timeoutMs })).body as Lease;
  }
}

/**
 * The renewTime of a Lease. It must differ from `before`: the API server makes no new version of an object that stays the same, and
 * observers would take the holder for dead. A wall clock that was set back may show the same time again. Six digits, as in
 * metav1.MicroTime (RFC3339Micro).
 */
export function renewTimeText(wallMs: number, before: string | undefined): string {
  const milliseconds = new Date(wallMs).toISOString().slice(0, -1);
  const text = `${milliseconds}000Z`;
  return text === before ? `${milliseconds}001Z` : text;
}
