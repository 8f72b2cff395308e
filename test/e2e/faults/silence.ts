import assert from "node:assert/strict";
import { waitFor } from "../../lab/wait.ts";
import type { Api } from "../api.ts";
import type { FaultTable } from "./table.ts";
import { WatchedAlone } from "./watched-alone.ts";

/** After so long without a byte a watch counts as dead (src/kube/reflector.ts). */
const silenceLimitMs = 150_000;
/** The Service that comes while nobody is heard. */
const unheard = "unheard";

const givenUp =
  "after 150 s the watch is closed; the next one continues from its version, or everything is listed again if that is too old";

/** Ways in which the other end may fall silent, and what is to be seen of each. */
const silences: readonly {
  readonly name: string;
  readonly begin: (watched: WatchedAlone) => void;
  readonly expected: readonly string[];
  readonly outcome: string;
}[] = [
  {
    name: "an established watch goes silent without closing",
    begin: ({ proxy }) => proxy.muteWatches(),
    expected: ["unreachable"],
    outcome: givenUp,
  },
  {
    name: "a watch is accepted and never answered",
    begin: ({ proxy }) => {
      let asked = false;
      proxy.script = ({ isWatch }) => {
        if (!isWatch || asked) return undefined;
        asked = true;
        return { kind: "silence", done: false };
      };
      proxy.cutWatches();
    },
    expected: ["unreachable", "unreachable"],
    outcome: givenUp,
  },
  {
    name: "a list is accepted and never answered",
    begin: ({ proxy }) => {
      let asked = false;
      proxy.script = ({ isList }) => {
        if (!isList || asked) return undefined;
        asked = true;
        return { kind: "silence", done: false };
      };
      proxy.expireWatches();
    },
    expected: ["expired", "unreachable"],
    outcome: "after 30 s it is requested again",
  },
];

/** Who listens while the other tests run, as silence takes minutes to be noticed. */
export class SilenceTrial {
  readonly #api: Api;
  readonly #quiet: WatchedAlone;
  readonly #silenced: ReadonlyMap<string, WatchedAlone>;

  private constructor(api: Api, quiet: WatchedAlone, silenced: ReadonlyMap<string, WatchedAlone>) {
    this.#api = api;
    this.#quiet = quiet;
    this.#silenced = silenced;
  }

  static async begin(api: Api): Promise<SilenceTrial> {
    const { apiSocket } = api.lab;
    const quiet = await WatchedAlone.start(apiSocket, "/apis/networking.k8s.io/v1/ingressclasses");
    const silenced = new Map<string, WatchedAlone>();
    for (const { name, begin } of silences) {
      const watched = await WatchedAlone.start(apiSocket, "/api/v1/services");
      begin(watched);
      silenced.set(name, watched);
    }
    await api.apply({ apiVersion: "v1", kind: "Service", metadata: { name: unheard }, spec: { clusterIP: "None" } });
    return new SilenceTrial(api, quiet, silenced);
  }

  /** Waits until all who were silenced have noticed it and know what they have missed. */
  async expectNoticed(table: FaultTable): Promise<void> {
    for (const { name, expected, outcome } of silences) {
      const watched = this.#silenced.get(name);
      assert.ok(watched !== undefined);
      const what = `${unheard} to be heard of after: ${name}`;
      await waitFor({ what, timeoutMs: 240_000 }, async () => watched.has(`${this.#api.namespace}/${unheard}`));
      const failures = await watched.failures();
      assert.deepEqual(failures.slice(0, expected.length), expected, name);
      // Minutes later the API server may know the version no more from which the next watch is to go on.
      assert.ok(
        failures.slice(expected.length).every((kind) => kind === "expired"),
        `${name}: ${failures}`,
      );
      table.add(name, "a Service is created meanwhile", outcome);
    }
  }

  /** Waits until a watch has stood beyond the limit of silence although nothing has happened. */
  async expectStanding(table: FaultTable): Promise<void> {
    const what = "the quiet watch to stand for longer than the limit of silence";
    await waitFor({ what, timeoutMs: 240_000 }, async () => this.#quiet.standsForMs > 1.2 * silenceLimitMs);
    assert.deepEqual(await this.#quiet.failures(), []);
    table.add(
      "nothing happens for minutes",
      "a watch of objects that never change",
      "bookmarks arrive in time, and the watch continues",
    );
  }

  async stop(): Promise<void> {
    for (const watched of [this.#quiet, ...this.#silenced.values()]) await watched.stop();
  }
}
