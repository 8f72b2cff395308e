import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { createInterface } from "node:readline";
import type { Lab } from "../../lab/lab.ts";
import { waitFor } from "../../lab/wait.ts";

interface ServiceEvent {
  readonly object: {
    readonly metadata: { readonly name: string };
    readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly unknown[] } };
  };
}

/** Watches the Services of a namespace, and notes when each got its first address. */
export class AddressWatch {
  readonly #request: ClientRequest;
  /** Times of performance.now(), by name of the Service. */
  readonly #addressedAtMs = new Map<string, number>();

  private constructor(outgoing: ClientRequest, response: IncomingMessage) {
    this.#request = outgoing;
    // close() ends the answer with an error, which the reader of lines passes on.
    createInterface({ input: response })
      .on("line", (line) => this.#take(line))
      .on("error", () => {});
  }

  /** Resolves when the watch is open. Addresses that Services have already are noted as of now. */
  static open(lab: Lab, namespace: string): Promise<AddressWatch> {
    return new Promise((resolve, reject) => {
      const path = `/api/v1/namespaces/${namespace}/services?watch=true`;
      const outgoing = request({ socketPath: lab.apiSocket, path });
      outgoing.once("response", (response) => resolve(new AddressWatch(outgoing, response)));
      outgoing.on("error", reject);
      outgoing.end();
    });
  }

  /** Resolves to the times at which Services got their addresses, in order, when as many have one. */
  async waitForAddresses(count: number): Promise<readonly number[]> {
    await waitFor({ what: `${count} addresses`, timeoutMs: 300_000, intervalMs: 20 }, async () =>
      this.#addressedAtMs.size >= count ? true : undefined,
    );
    return [...this.#addressedAtMs.values()].sort((left, right) => left - right);
  }

  close(): void {
    this.#request.destroy();
  }

  #take(line: string): void {
    const { object } = JSON.parse(line) as ServiceEvent;
    const { name } = object.metadata;
    if ((object.status?.loadBalancer?.ingress ?? []).length === 0 || this.#addressedAtMs.has(name)) return;
    this.#addressedAtMs.set(name, performance.now());
  }
}
